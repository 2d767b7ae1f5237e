package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/views/management"
)

// openAPI is what is read of the management API's document.
type openAPI struct {
	Info  struct{ Description string }
	Tags  []struct{ Name string }
	Paths map[string]map[string]struct {
		OperationID string
		Summary     string
		Description string
		Tags        []string
		Parameters  []struct {
			Name, In, Description string
			Required              bool
			Schema                apiSchema
		}
		RequestBody struct{ Content apiContent }
		Responses   map[string]struct {
			Description string
			Content     apiContent
		}
		Samples []struct{ Source string } `json:"x-codeSamples"`
	}
	Components struct{ Schemas map[string]apiSchema }
}

type apiContent map[string]struct{ Schema apiSchema }

type apiSchema struct {
	Ref         string `json:"$ref"`
	Type        string
	Format      string
	Description string
	Nullable    bool
	Enum        []string
	Items       *apiSchema
	AllOf       []apiSchema
	Required    []string
	Properties  map[string]apiSchema
}

// showReference answers GET /account/management/reference: the document that
// the API itself serves, as a page.
func (s *Server) showReference(c echo.Context) error {
	document, err := s.OpenAPI()
	if err != nil {
		return err
	}
	var d openAPI
	if err := json.Unmarshal(document, &d); err != nil {
		return err
	}
	chrome, err := s.chrome(c, "API reference", atManagement)
	if err != nil {
		return err
	}
	p := management.ReferenceProps{Chrome: chrome, BackURL: managementURL, DocumentURL: s.base(c) + documentURL, Groups: d.groups(), Schemas: d.answered()}
	for _, text := range strings.Split(strings.ReplaceAll(d.Info.Description, "**", ""), "\n\n") {
		p.About = append(p.About, text)
	}
	page := management.Reference(p)
	return s.show(c, http.StatusOK, page, func() (templ.Component, error) { return page, nil })
}

// methods is the order in which the operations of one path stand.
var methods = []string{"get", "post", "put", "patch", "delete"}

func (d openAPI) groups() (groups []management.Group) {
	paths := slices.Sorted(maps.Keys(d.Paths))
	for _, tag := range d.Tags {
		g := management.Group{ID: "group-" + strings.ReplaceAll(tag.Name, " ", "-"), Name: tag.Name}
		for _, path := range paths {
			for _, method := range methods {
				o, there := d.Paths[path][method]
				if there && slices.Contains(o.Tags, tag.Name) {
					g.Operations = append(g.Operations, d.operation(path, method))
				}
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func (d openAPI) operation(path, method string) management.Operation {
	o := d.Paths[path][method]
	out := management.Operation{ID: o.OperationID, Method: strings.ToUpper(method), Path: path, Summary: o.Summary, About: o.Description}
	for _, p := range o.Parameters {
		out.Params = append(out.Params, management.Member{Name: p.Name, Kind: p.In + ", " + p.Schema.kind(), Must: p.Required, Text: p.Schema.words(p.Description)})
	}
	for _, content := range o.RequestBody.Content {
		out.Body = d.members(content.Schema.name())
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		a := management.Answer{Status: status, Text: o.Responses[status].Description, Failure: status >= "300"}
		for _, content := range o.Responses[status].Content {
			a.Schema = content.Schema.name()
		}
		out.Answers = append(out.Answers, a)
	}
	for _, sample := range o.Samples {
		out.Curl = sample.Source
	}
	return out
}

// answered are the schemas of what is answered, and what these hold.
func (d openAPI) answered() (list []management.Schema) {
	sent := map[string]bool{}
	for _, item := range d.Paths {
		for _, o := range item {
			for _, content := range o.RequestBody.Content {
				sent[content.Schema.name()] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		if !sent[name] {
			list = append(list, management.Schema{Name: name, Members: d.members(name)})
		}
	}
	return list
}

func (d openAPI) members(schema string) (list []management.Member) {
	s := d.Components.Schemas[schema]
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		m := s.Properties[name]
		list = append(list, management.Member{Name: name, Kind: m.kind(), Must: slices.Contains(s.Required, name), Text: m.words(m.Description)})
	}
	return list
}

// name is the component that a schema refers to.
func (s apiSchema) name() string {
	if len(s.AllOf) > 0 {
		return s.AllOf[0].name()
	}
	return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
}

// kind is a schema's type in a few words.
func (s apiSchema) kind() string {
	kind := s.Type
	switch {
	case s.name() != "":
		kind = s.name()
	case s.Items != nil:
		kind = "array of " + s.Items.kind()
	case s.Format == "date-time":
		kind = "time"
	}
	if s.Nullable {
		kind += " or null"
	}
	return kind
}

// words are what is said of a schema, with its choices.
func (s apiSchema) words(about string) string {
	if len(s.Enum) > 0 {
		about = strings.TrimSpace(about + " One of " + strings.Join(s.Enum, ", ") + ".")
	}
	return about
}
