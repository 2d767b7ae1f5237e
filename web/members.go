package web

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
	"bailiwick/views/members"
	"bailiwick/views/ui"
)

// listMembers answers GET /workspaces/:workspace/members.
func (s *Server) listMembers(c echo.Context) error {
	return showList(s, c, s.memberList, members.List, s.membersPage)
}

// showMember answers GET …/members/:user: the panel.
func (s *Server) showMember(c echo.Context) error {
	m, err := s.findMember(c)
	if err != nil {
		return err
	}
	l := listBehind(c, membersURL(here(c).ID))
	p := members.PanelProps{
		URL: l.carried(memberURL(here(c).ID, m.User)), BackURL: l.carried(l.url), Name: m.Name, LogOn: s.logOnName(c, m.LogOn), Body: s.memberBody(c, m),
	}
	return s.showDialog(c, http.StatusOK, members.Panel(p), s.membersPage)
}

// findMember finds the member that the path names.
func (s *Server) findMember(c echo.Context) (workspace.ListedMember, error) {
	id, err := ident.ParseUser(param(c, "user"))
	if err != nil {
		return workspace.ListedMember{}, err
	}
	return s.Members.Find(c.Request().Context(), actor(c), here(c).ID, id)
}

// newMember answers GET …/members/new: the dialog or, to a search in it, those
// who were found. Whoever is ticked stays.
func (s *Server) newMember(c echo.Context) error {
	q := form{c.Request().URL.Query()}
	if err := ordinary(q.Values); err != nil {
		return err
	}
	found, err := s.candidates(c, q, "")
	if err != nil {
		return err
	}
	if visitOf(c).scripted && c.Request().Header.Get("HX-Target") == "fieldset#candidates" {
		return s.send(c, http.StatusOK, members.Candidates(found))
	}
	return s.showAddMembers(c, http.StatusOK, found, permissions("", nil), nil)
}

func (s *Server) showAddMembers(c echo.Context, status int, found members.CandidatesProps, chosen members.PermissionsProps, notice *ui.Notice) error {
	w := here(c)
	return s.showDialog(c, status, members.AddDialog(members.AddProps{
		Action: membersURL(w.ID), URL: newMemberURL(w.ID), CancelURL: membersURL(w.ID), Workspace: w.Name,
		Candidates: found, Permissions: chosen, Notice: notice,
	}), s.membersPage)
}

// addMembers answers POST …/members.
func (s *Server) addMembers(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	chosen, err := userIDs(in.Values["user"])
	if err != nil {
		return err
	}
	role, pages := access.Role(in.Get("role")), pagesOf(in)
	var all []workspace.Member
	for _, id := range chosen {
		all = append(all, workspace.Member{User: id, Role: role, Pages: pages})
	}
	if len(all) == 0 {
		return s.addMembersAgain(c, in, fault.Field("user", "Tick at least one RAM user."))
	}
	if err := s.Members.Put(c.Request().Context(), actor(c), here(c).ID, all, false); mendable(err) {
		return s.addMembersAgain(c, in, err)
	} else if err != nil {
		return err
	}
	message := counted(len(all), "member") + " added"
	return s.done(c, membersURL(here(c).ID), message, func() (templ.Component, error) {
		p, err := s.membersChange(c, nil, message)
		return members.Changed(p), err
	})
}

// addMembersAgain keeps what was chosen and says what is wrong with it.
func (s *Server) addMembersAgain(c echo.Context, in form, cause error) error {
	found, err := s.candidates(c, in, about(cause, "user"))
	if err != nil {
		return err
	}
	p := permissions(access.Role(in.Get("role")), pagesOf(in))
	p.Error = about(cause, "role") + about(cause, "pages")
	var notice *ui.Notice
	if found.Error+p.Error == "" {
		notice = bad(cause)
	}
	return s.showAddMembers(c, statusOf(cause), found, p, notice)
}

// editMember answers GET …/members/:user/edit.
func (s *Server) editMember(c echo.Context) error {
	m, err := s.findMember(c)
	if err != nil {
		return err
	}
	return s.showEditMember(c, http.StatusOK, m, members.EditProps{Permissions: permissions(m.Role, m.Pages)})
}

func (s *Server) showEditMember(c echo.Context, status int, m workspace.ListedMember, p members.EditProps) error {
	p.Action, p.CancelURL = memberURL(here(c).ID, m.User, "edit"), memberURL(here(c).ID, m.User)
	p.Name, p.Workspace, p.Version = m.Name, here(c).Name, strconv.FormatInt(m.Version, 10)
	return s.showDialog(c, status, members.EditDialog(p), s.membersPage)
}

// changeMember answers POST …/members/:user/edit. Somebody else's change is
// told, and what was chosen is kept.
func (s *Server) changeMember(c echo.Context) error {
	m, err := s.findMember(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	to := workspace.Member{User: m.User, Role: access.Role(in.Get("role")), Pages: pagesOf(in), Version: max(1, in.version())}
	err = s.Members.Put(c.Request().Context(), actor(c), here(c).ID, []workspace.Member{to}, in.Get("alone") == "yes")
	if mendable(err) {
		return s.editMemberAgain(c, m, to, err)
	}
	if err != nil {
		return err
	}
	message := "Permissions of " + m.Name + " saved"
	return s.done(c, s.afterMember(c, m), message, func() (templ.Component, error) {
		p, err := s.membersChange(c, &m.User, message)
		return members.Changed(p), err
	})
}

func (s *Server) editMemberAgain(c echo.Context, m workspace.ListedMember, to workspace.Member, cause error) error {
	p := members.EditProps{Permissions: permissions(to.Role, to.Pages)}
	p.Permissions.Error = about(cause, "role") + about(cause, "pages")
	switch {
	case about(cause, "alone") != "":
		p.Alone, p.Notice = true, &ui.Notice{Tone: ui.Warn, Title: m.Name + " is the last administrator.", Text: "Make somebody else one first, or confirm below."}
	case fault.Is(cause, fault.Conflict):
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "The permissions were changed meanwhile.", Text: "Now: " + roleTitle(m.Role) + ". " + granted(m) + " What you chose is kept below; OK puts it over that."}
	case p.Permissions.Error == "":
		p.Notice = bad(cause)
	}
	return s.showEditMember(c, statusOf(cause), m, p)
}

// afterMember is where a changed member is shown; somebody who took their own
// right to look goes to the workspace.
func (s *Server) afterMember(c echo.Context, m workspace.ListedMember) string {
	if m.User == actor(c).User && !actor(c).Everywhere() {
		return workspaceURL(here(c).ID)
	}
	return memberURL(here(c).ID, m.User)
}

// confirmRemoveMember answers GET …/members/:user/remove.
func (s *Server) confirmRemoveMember(c echo.Context) error {
	m, err := s.findMember(c)
	if err != nil {
		return err
	}
	return s.showRemoveMember(c, http.StatusOK, m, nil)
}

func (s *Server) showRemoveMember(c echo.Context, status int, m workspace.ListedMember, notice *ui.Notice) error {
	leaving, err := s.Members.Leaving(c.Request().Context(), actor(c), here(c).ID, m.User)
	if err != nil {
		return err
	}
	w := here(c)
	stops := append([]string{"They no longer enter " + w.Name + "."}, keyStops(leaving.Keys)...)
	if m.Super {
		stops = []string{"Nothing: they have full access, as a super administrator."}
	}
	return s.showDialog(c, status, members.RemoveDialog(members.RemoveProps{
		Action: memberURL(w.ID, m.User, "remove"), CancelURL: membersURL(w.ID), Name: m.Name, Workspace: w.Name, Stops: stops, Alone: leaving.Last, Notice: notice,
	}), s.membersPage)
}

// removeMember answers POST …/members/:user/remove. The panel is about nobody
// then, so that the list is loaded.
func (s *Server) removeMember(c echo.Context) error {
	m, err := s.findMember(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	err = s.Members.Remove(c.Request().Context(), actor(c), here(c).ID, m.User, in.Get("alone") == "yes")
	if about(err, "alone") != "" {
		return s.showRemoveMember(c, statusOf(err), m, &ui.Notice{Tone: ui.Bad, Title: m.Name + " is the last administrator.", Text: "Make somebody else one first, or confirm below."})
	}
	if err != nil {
		return err
	}
	to := listBehind(c, membersURL(here(c).ID)).carried(membersURL(here(c).ID))
	if m.User == actor(c).User && !actor(c).Everywhere() {
		to = homeURL
	}
	return s.leaveSaying(c, to, m.Name+" removed from "+here(c).Name)
}
