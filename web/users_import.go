package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/views/users"
)

// rosterMax bounds what a browser may send to be imported.
const rosterMax = 256 << 10

// showImportUsers answers GET /account/users/import.
func (s *Server) showImportUsers(c echo.Context) error {
	return s.sendImportUsers(c, http.StatusOK, users.ImportProps{})
}

func (s *Server) sendImportUsers(c echo.Context, status int, p users.ImportProps) error {
	chrome, err := s.chrome(c, "Import RAM Users", atUsers)
	if err != nil {
		return err
	}
	p.Chrome, p.Action, p.BackURL, p.Max = chrome, importUsersURL, usersURL, account.RosterMax
	return s.send(c, status, users.ImportPage(p))
}

// importUsers answers POST /account/users/import: first with a dry run, line by
// line, and then, when every line is well and that is wanted, with the links of
// those who were added.
func (s *Server) importUsers(c echo.Context) error {
	in, err := readRoster(c)
	p := users.ImportProps{Text: in.Get("text")}
	if err == nil && in.Get("step") == "back" {
		return s.sendImportUsers(c, http.StatusOK, p)
	}
	dry := in.Get("step") != "add"
	var lines []account.RosterLine
	var well bool
	if err == nil {
		lines, well, err = s.roster(c, p.Text, dry)
	}
	if f, ok := fault.On(err, "file"); ok {
		p.Error = f.Message
		return s.sendImportUsers(c, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	if well && !dry {
		return s.showImported(c, lines)
	}
	return s.showDryRun(c, p, lines, well)
}

// roster reads the lines. Where somebody else was faster with one of the names,
// another dry run says so beside the line.
func (s *Server) roster(c echo.Context, text string, dry bool) ([]account.RosterLine, bool, error) {
	lines, well, err := s.People.Roster(c.Request().Context(), actor(c), strings.NewReader(text), dry)
	if dry || !fault.Is(err, fault.Conflict) {
		return lines, well, err
	}
	lines, _, err = s.People.Roster(c.Request().Context(), actor(c), strings.NewReader(text), true)
	return lines, false, err
}

func (s *Server) showDryRun(c echo.Context, p users.ImportProps, lines []account.RosterLine, well bool) error {
	p.Well = well
	for _, l := range lines {
		if l.Error == "" {
			p.Good++
		}
		p.Report = append(p.Report, users.Line{Number: l.Line, LogOn: l.Profile.LogOn, Name: l.Profile.Name, Email: l.Profile.Email, Error: l.Error})
	}
	return s.sendImportUsers(c, http.StatusOK, p)
}

func (s *Server) showImported(c echo.Context, lines []account.RosterLine) error {
	chrome, err := s.chrome(c, "Import RAM Users", atUsers)
	if err != nil {
		return err
	}
	p := users.ImportedProps{Chrome: chrome, BackURL: usersURL, Until: moment(s.Now().Add(account.InvitationLife))}
	for _, l := range lines {
		added := users.Added{LogOn: l.Profile.LogOn + "@" + string(actor(c).Alias), Name: orElse(l.Profile.Name, l.Profile.LogOn), Link: s.welcomeLink(c, l.Token)}
		p.Rows = append(p.Rows, added)
		p.All += added.LogOn + "\t" + added.Link + "\n"
	}
	return s.send(c, http.StatusCreated, users.ImportedPage(p))
}

// readRoster reads the form of an import: the only one that may hold a file,
// which takes the place of what was typed.
func readRoster(c echo.Context) (form, error) {
	kind, parameters, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != echo.MIMEMultipartForm {
		return readForm(c)
	}
	if parameters["boundary"] == "" {
		return form{}, fault.New(fault.Invalid, "The form cannot be read.")
	}
	parts, err := c.Request().MultipartReader()
	if err != nil {
		return form{}, unreadable(err)
	}
	values := url.Values{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return form{}, unreadable(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return form{}, unreadable(err)
		}
		values.Add(part.FormName(), string(text))
	}
	if file := values.Get("file"); file != "" {
		values.Set("text", file)
	}
	values.Del("file")
	if ordinary(values) != nil {
		return form{}, fault.Field("file", "The file is no text in UTF-8. Save it as CSV UTF-8 and choose it again.")
	}
	return form{values}, nil
}
