package web

import (
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
	"bailiwick/views/members"
	"bailiwick/views/ui"
)

// membersPage is the list, with a panel or dialog over it or without.
func (s *Server) membersPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	chrome, err := s.chrome(c, "Members", atMembers)
	if err != nil {
		return nil, err
	}
	rows, err := s.memberList(c)
	if err != nil {
		return nil, err
	}
	headless, err := s.headless(c)
	chrome.Overlay = overlay
	w := here(c)
	return members.Index(members.IndexProps{
		Chrome: chrome, Workspace: w.Name, AddURL: when(actor(c).MayIn(w.ID, access.ChangeMembers), newMemberURL(w.ID)), Headless: headless, List: rows,
	}), err
}

// headless warns of a workspace that nobody administers.
func (s *Server) headless(c echo.Context) (*ui.Notice, error) {
	names, err := s.Members.Administrators(c.Request().Context(), actor(c), here(c).ID)
	if err != nil || len(names) > 0 {
		return nil, err
	}
	return &ui.Notice{Tone: ui.Info, Title: "This workspace has no administrator.", Text: "The account owner and super administrators look after it. Make a member administrator to hand that over."}, nil
}

// memberList is the table of members.
func (s *Server) memberList(c echo.Context) (members.ListProps, error) {
	l := listBehind(c, membersURL(here(c).ID))
	if c.Request().URL.Path == newMemberURL(here(c).ID) {
		l.values = nil // it is the dialog that searches there
	}
	found, next, err := s.Members.List(c.Request().Context(), actor(c), here(c).ID, workspace.MemberFilter{Search: l.search(), After: l.after(), Limit: pageSize})
	if err != nil {
		return members.ListProps{}, err
	}
	p := members.ListProps{URL: l.url, Search: l.search(), Pager: l.shortPager(len(found), next)}
	for _, m := range found {
		p.Rows = append(p.Rows, s.memberRow(c, l, m))
	}
	return p, nil
}

func (s *Server) memberRow(c echo.Context, l listed, m workspace.ListedMember) members.Row {
	ws := here(c).ID
	change := actor(c).MayIn(ws, access.ChangeMembers)
	return members.Row{
		ID: string(m.User), Name: m.Name, LogOn: s.logOnName(c, m.LogOn), Role: roleTitle(m.Role), Pages: pageTitles(m.Pages, "Models"),
		Every: m.Role == access.Administrator || m.Super, Mark: memberMark(m), ViewURL: l.carried(memberURL(ws, m.User)),
		EditURL: when(change, memberURL(ws, m.User, "edit")), RemoveURL: when(change, memberURL(ws, m.User, "remove")),
	}
}

func memberMark(m workspace.ListedMember) string {
	switch {
	case m.Disabled:
		return "Disabled"
	case m.Super:
		return "Super administrator"
	}
	return ""
}

// pageTitles names pages, after those that everybody may open.
func pageTitles(pages []access.Page, always ...string) []string {
	for _, p := range pages {
		always = append(always, p.Title())
	}
	return always
}

// granted says in one line what a member may open.
func granted(m workspace.ListedMember) string {
	if m.Role == access.Administrator {
		return "Every page."
	}
	return "May open " + strings.Join(pageTitles(m.Pages, "Models"), ", ") + "."
}

// memberBody says in words what a member may do, and what not.
func (s *Server) memberBody(c echo.Context, m workspace.ListedMember) members.BodyProps {
	ws := here(c).ID
	is := access.Membership{Role: m.Role, Pages: m.Pages}
	p := members.BodyProps{Role: roleTitle(m.Role), May: is.Words()}
	switch {
	case m.Disabled:
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "Disabled.", Text: "They cannot log on, and their API keys are refused, until they are enabled again under RAM Users. What is said below holds from then on."}
	case m.Super:
		p.Notice = &ui.Notice{Tone: ui.Info, Title: "Super administrator.", Text: "They may do everything in every workspace. What is said below holds once full access is taken."}
	}
	for _, page := range access.Pages {
		if m.Role != access.Administrator && !slices.Contains(m.Pages, page) {
			p.MayNot = append(p.MayNot, page.Allows())
		}
	}
	if actor(c).MayIn(ws, access.ChangeMembers) {
		p.EditURL, p.RemoveURL = memberURL(ws, m.User, "edit"), memberURL(ws, m.User, "remove")
	}
	return p
}

// candidatesMax is how many RAM users are offered at once; a search finds the
// others.
const candidatesMax = 50

// candidates are the RAM users who are ticked, and then those whom a search finds.
func (s *Server) candidates(c echo.Context, in form, mistake string) (members.CandidatesProps, error) {
	search := []rune(strings.TrimSpace(in.Get("q")))
	p := members.CandidatesProps{Search: string(search[:min(len(search), searchMax)]), Error: mistake}
	ticked, err := userIDs(in.Values["user"])
	if err != nil {
		return p, err
	}
	if len(ticked) > 0 {
		chosen, _, err := s.Members.Candidates(c.Request().Context(), actor(c), here(c).ID, workspace.CandidateFilter{Among: ticked, Limit: len(ticked)})
		if err != nil {
			return p, err
		}
		p.Rows = s.candidateRows(c, chosen, nil)
	}
	found, more, err := s.Members.Candidates(c.Request().Context(), actor(c), here(c).ID, workspace.CandidateFilter{Search: p.Search, Limit: candidatesMax})
	p.More = more
	p.Rows = append(p.Rows, s.candidateRows(c, found, ticked)...)
	return p, err
}

// candidateRows are candidates without those who are shown already; without
// such a list all of them are ticked.
func (s *Server) candidateRows(c echo.Context, list []workspace.Candidate, shown []ident.User) (rows []members.Candidate) {
	for _, l := range list {
		if !slices.Contains(shown, l.User) {
			rows = append(rows, members.Candidate{ID: string(l.User), Name: l.Name, LogOn: s.logOnName(c, l.LogOn), Chosen: shown == nil})
		}
	}
	return rows
}

// tickedMax bounds how many RAM users are added at once.
const tickedMax = 500

func userIDs(texts []string) ([]ident.User, error) {
	if len(texts) > tickedMax {
		return nil, fault.Field("user", "Add at most %d RAM users at once.", tickedMax)
	}
	ids := make([]ident.User, len(texts))
	for i, text := range texts {
		id, err := ident.ParseUser(text)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

func pagesOf(in form) []access.Page {
	var pages []access.Page
	for _, text := range in.Values["page"] {
		pages = append(pages, access.Page(text))
	}
	return pages
}

// permissions are role and pages as they can be chosen.
func permissions(role access.Role, granted []access.Page) members.PermissionsProps {
	p := members.PermissionsProps{Administrator: role == access.Administrator}
	for _, t := range access.Tabs {
		tab := members.Tab{Title: t.Title}
		for _, w := range t.Pages {
			tab.Pages = append(tab.Pages, members.Page{Value: string(w.Page), Title: w.Title, Allows: w.Allows, Granted: slices.Contains(granted, w.Page)})
		}
		p.Tabs = append(p.Tabs, tab)
	}
	for _, preset := range access.Presets {
		var pages []string
		for _, page := range preset.Pages {
			pages = append(pages, string(page))
		}
		p.Presets = append(p.Presets, members.Preset{Name: preset.Name, Pages: strings.Join(pages, " ")})
	}
	return p
}

// membersChange is what differs on the page after members were changed; with a
// user, also in the panel that is open over it.
func (s *Server) membersChange(c echo.Context, of *ident.User, toast string) (p members.ChangedProps, err error) {
	p.Toast = toast
	if p.List, err = s.memberList(c); err != nil {
		return p, err
	}
	if p.Headless, err = s.headless(c); err != nil || of == nil {
		return p, err
	}
	m, err := s.Members.Find(c.Request().Context(), actor(c), here(c).ID, *of)
	body := s.memberBody(c, m)
	p.Body = &body
	return p, err
}
