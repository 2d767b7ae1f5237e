package adminapi

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// of gives the schema of a value's type. Structs become components of their
// own, under the name of their type. In answers every member is there; in
// bodies those that are tagged as required.
func (d documenter) of(value any) object { return d.schema(reflect.TypeOf(value)) }

var (
	timeType = reflect.TypeFor[time.Time]()
	optional = reflect.TypeFor[interface{ optional() reflect.Type }]()
)

// optional tells the type of the value, for the document.
func (o Opt[T]) optional() reflect.Type { return reflect.TypeFor[T]() }

func (d documenter) schema(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t.Implements(optional):
		return nullable(d.schema(reflect.Zero(t).Interface().(interface{ optional() reflect.Type }).optional()))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(d.schema(t.Elem()))
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		return d.component(t)
	}
	return object{"type": "string"}
}

func nullable(s object) object {
	if _, ref := s["$ref"]; ref {
		return object{"nullable": true, "allOf": []any{s}}
	}
	s["nullable"] = true
	return s
}

// component describes a struct once and refers to it.
func (d documenter) component(t reflect.Type) object {
	name := nameOf(t)
	ref := object{"$ref": "#/components/schemas/" + name}
	if d.schemas[name] != nil {
		return ref
	}
	members := object{}
	out := object{"type": "object", "properties": members, "additionalProperties": false}
	d.schemas[name] = out
	var required []any
	for _, f := range fieldsOf(t) {
		s := d.schema(f.Type)
		if words, choices := f.Tag.Get("doc"), f.Tag.Get("enum"); words != "" || choices != "" || f.Tag.Get("example") != "" {
			if _, ref := s["$ref"]; ref {
				s = object{"allOf": []any{s}}
			}
			if words != "" {
				s["description"] = words
			}
			if choices != "" {
				s["enum"] = strings.Split(choices, ",")
			}
			if example := f.Tag.Get("example"); example != "" {
				s["example"] = example
			}
		}
		members[f.Tag.Get("json")] = s
		if !isBody(t) || f.Tag.Get("required") != "" {
			required = append(required, f.Tag.Get("json"))
		}
	}
	if required != nil {
		out["required"] = required
	}
	return ref
}

// nameOf is the name of a component: "Workspace", and "UserPage" for a page of them.
func nameOf(t reflect.Type) string {
	name, of, generic := strings.Cut(t.Name(), "[")
	if !generic {
		return name
	}
	of = strings.TrimSuffix(of, "]")
	return of[strings.LastIndex(of, ".")+1:] + name
}

// fieldsOf lists the members of a struct, those of embedded ones too.
func fieldsOf(t reflect.Type) (fields []reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			fields = append(fields, fieldsOf(f.Type)...)
			continue
		}
		fields = append(fields, f)
	}
	return fields
}

// isBody reports whether a type is sent rather than answered.
func isBody(t reflect.Type) bool {
	return slices.ContainsFunc(operations(), func(o operation) bool { return o.body != nil && reflect.TypeOf(o.body) == t })
}

// exampleOf is a body with the examples of its members, the required ones and
// those that have one.
func exampleOf(body any) string {
	example := object{}
	for _, f := range fieldsOf(reflect.TypeOf(body)) {
		text := f.Tag.Get("example")
		if choices := f.Tag.Get("enum"); text == "" && choices != "" {
			text, _, _ = strings.Cut(choices, ",")
		}
		switch {
		case text != "":
			example[f.Tag.Get("json")] = text
		case f.Tag.Get("required") == "":
		case f.Type.Kind() == reflect.Slice:
			example[f.Tag.Get("json")] = []string{pathParts["workspace"]["example"].(string)}
		default:
			example[f.Tag.Get("json")] = "…"
		}
	}
	text, err := json.Marshal(example, json.Deterministic(true))
	if err != nil {
		return "{}"
	}
	return string(text)
}
