package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/views/settings"
	"bailiwick/views/ui"
)

// showSettings answers GET /account/settings.
func (s *Server) showSettings(c echo.Context) error {
	return s.sendSettings(c, http.StatusOK, nil)
}

// sendSettings shows the settings as they are kept, with what a form wanted
// otherwise on top.
func (s *Server) sendSettings(c echo.Context, status int, typed func(*settings.IndexProps)) error {
	p, err := s.settings(c)
	if err != nil {
		return err
	}
	if typed != nil {
		typed(&p)
	}
	return s.show(c, status, settings.Form(p), func() (templ.Component, error) {
		var err error
		p.Chrome, err = s.chrome(c, "Settings", atSettings)
		return settings.Index(p), err
	})
}

// settings are the account's settings as they are kept.
func (s *Server) settings(c echo.Context) (settings.IndexProps, error) {
	a, err := s.Accounts.Current(c.Request().Context(), actor(c))
	if err != nil {
		return settings.IndexProps{}, err
	}
	used, err := s.Workspaces.Allowance(c.Request().Context(), actor(c))
	p := settings.IndexProps{
		Factor:           circles(a.Settings.RequireFactor),
		Action:           when(actor(c).May(access.ChangeSettings), settingsURL),
		RequireWorkspace: a.Settings.NameWorkspace, Limit: strconv.Itoa(a.Settings.WorkspaceLimit),
		LimitHint: number(used.Used) + " in use. The Default Workspace does not count.",
		KeyLimit:  strconv.Itoa(a.Settings.KeyLimit), AuditDays: strconv.Itoa(a.Settings.AuditDays),
		KeyCalls: strconv.Itoa(a.Settings.KeyCalls), WorkspaceCalls: strconv.Itoa(a.Settings.WorkspaceCalls), Version: strconv.FormatInt(a.Version, 10),
		DatasetFiles: strconv.Itoa(a.Settings.DatasetFiles), DatasetMegabytes: strconv.Itoa(a.Settings.DatasetMegabytes), DatasetFileMegabytes: strconv.Itoa(a.Settings.DatasetFileMegabytes),
		KeyCallsHint: "A stream counts until it ends. 0 means any number.", WorkspaceCallsHint: "Of all its API keys together. 0 means any number.",
	}
	if kept := s.Policy.Now().Account(a.ID); kept != nil {
		p.KeyCallsHint = withSetter(p.KeyCallsHint, kept.KeyCallsSet)
		p.WorkspaceCallsHint = withSetter(p.WorkspaceCallsHint, kept.WorkspaceCallsSet)
	}
	return p, err
}

// changeSettings answers POST /account/settings.
func (s *Server) changeSettings(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	kept, err := s.Accounts.Current(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	to, err := settingsOf(in, kept.Settings)
	if err == nil {
		err = s.Accounts.ChangeSettings(c.Request().Context(), actor(c), to, in.version())
	}
	if mendable(err) {
		return s.sendSettings(c, statusOf(err), func(p *settings.IndexProps) { typedOver(p, in, err) })
	}
	if err != nil {
		return err
	}
	return s.done(c, settingsURL, "Settings saved", func() (templ.Component, error) {
		p, err := s.settings(c)
		return settings.Changed(settings.ChangedProps{Index: p, Toast: "Settings saved"}), err
	})
}

// settingsOf reads the form. What it does not speak of stays as it is kept.
func settingsOf(in form, to account.Settings) (account.Settings, error) {
	to.NameWorkspace = in.Get("require_workspace") == "on"
	if in.Has("require_factor") {
		to.RequireFactor = account.Circle(in.Get("require_factor"))
	}
	for _, limit := range []struct {
		name, field string
		to          *int
		most        int
	}{
		{"workspace_limit", "limit", &to.WorkspaceLimit, account.MaxWorkspaceLimit},
		{"key_limit", "keys", &to.KeyLimit, account.MaxKeyLimit},
		{"key_calls", "key_calls", &to.KeyCalls, account.MaxCalls},
		{"workspace_calls", "workspace_calls", &to.WorkspaceCalls, account.MaxCalls},
		{"audit_days", "audit", &to.AuditDays, account.MaxAuditDays},
		{"dataset_files", "dataset_files", &to.DatasetFiles, account.MaxDatasetFiles},
		{"dataset_megabytes", "dataset_megabytes", &to.DatasetMegabytes, account.MaxMegabytes},
		{"dataset_file_megabytes", "dataset_file_megabytes", &to.DatasetFileMegabytes, account.MaxFileMegabytes},
	} {
		if !in.Has(limit.name) {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(in.Get(limit.name)))
		if err != nil {
			return to, fault.Field(limit.field, "The limit is a whole number from 0 to %d.", limit.most)
		}
		*limit.to = n
	}
	return to, nil
}

// typedOver keeps what was typed and says what is wrong with it.
func typedOver(p *settings.IndexProps, in form, wrong error) {
	p.RequireWorkspace, p.Limit = in.Get("require_workspace") == "on", in.Get("workspace_limit")
	if in.Has("key_limit") {
		p.KeyLimit = in.Get("key_limit")
	}
	if in.Has("require_factor") {
		p.Factor = circles(account.Circle(in.Get("require_factor")))
	}
	if in.Has("audit_days") {
		p.AuditDays = in.Get("audit_days")
	}
	if in.Has("dataset_files") {
		p.DatasetFiles, p.DatasetMegabytes, p.DatasetFileMegabytes = in.Get("dataset_files"), in.Get("dataset_megabytes"), in.Get("dataset_file_megabytes")
	}
	p.DatasetFilesError, p.DatasetMegabytesError, p.DatasetFileMegabytesError = about(wrong, "dataset_files"), about(wrong, "dataset_megabytes"), about(wrong, "dataset_file_megabytes")
	if in.Has("key_calls") {
		p.KeyCalls, p.WorkspaceCalls = in.Get("key_calls"), in.Get("workspace_calls")
	}
	p.KeyCallsError, p.WorkspaceCallsError = about(wrong, "key_calls"), about(wrong, "workspace_calls")
	p.LimitError, p.KeyLimitError, p.AuditDaysError = about(wrong, "limit"), about(wrong, "keys"), about(wrong, "audit")
	if fault.Is(wrong, fault.Conflict) {
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "The settings were changed meanwhile.", Text: "What you chose is kept below; Save puts it over that."}
	} else if p.LimitError+p.KeyLimitError+p.AuditDaysError+p.KeyCallsError+p.WorkspaceCallsError+p.DatasetFilesError+p.DatasetMegabytesError+p.DatasetFileMegabytesError == "" {
		p.Notice = bad(wrong)
	}
}

// circles are those of whom a second factor can be required.
func circles(chosen account.Circle) []ui.Option {
	options := []ui.Option{
		{Value: string(account.Nobody), Label: "Of nobody"}, {Value: string(account.Administrators), Label: "Of administrators"},
		{Value: string(account.Everybody), Label: "Of everybody"},
	}
	for i := range options {
		options[i].Selected = options[i].Value == string(chosen)
	}
	return options
}
