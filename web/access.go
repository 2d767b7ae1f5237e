package web

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/workspace"
	"bailiwick/views/why"
)

// showAccess answers GET /access: what a person may do, and who can grant more.
// Every refusal in the console leads here.
func (s *Server) showAccess(c echo.Context) error {
	mine, err := s.mine(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	by := actor(c)
	p := why.AccessProps{Role: who(by, nil).Role, Nowhere: "You belong to no workspace yet. Whoever administers one can add you."}
	p.May, p.Who = mayInAccount(by)
	for _, w := range mine {
		place, err := s.accessPlace(c, w)
		if err != nil {
			return err
		}
		p.Places = append(p.Places, place)
	}
	if p.Chrome, err = s.chrome(c, "Your Access", ""); err != nil {
		return err
	}
	page := why.Access(p)
	return s.show(c, http.StatusOK, page, func() (templ.Component, error) { return page, nil })
}

// mayInAccount says what a role may do in the account, and who can change that.
func mayInAccount(by access.Actor) (may []string, grants string) {
	switch by.Role {
	case access.Root:
		return []string{"Everything in the account and in each of its workspaces."}, ""
	case access.Super:
		return []string{"Everything in the account and in each of its workspaces, but for its providers."}, "The account owner, root@" + string(by.Alias) + ", alone administers providers."
	}
	return []string{"See the workspaces that you belong to, and change your own password and sessions."},
		"The account owner, root@" + string(by.Alias) + ", or a super administrator can make you one; whoever administers a workspace can add you to it."
}

func (s *Server) accessPlace(c echo.Context, w workspace.Listed) (why.Place, error) {
	by := actor(c)
	p := why.Place{Name: w.Name, URL: workspaceURL(w.ID), Role: "Everything, as in all workspaces", May: access.Membership{Role: access.Administrator}.Words()}
	if by.Everywhere() {
		return p, nil
	}
	m := by.In[w.ID]
	p.Role, p.May = "Regular user", m.Words()
	if m.Role == access.Administrator {
		p.Role, p.Who = "Administrator", "What the workspace may do with models is for the account owner or a super administrator to grant."
		return p, nil
	}
	names, err := s.Members.Administrators(c.Request().Context(), by, w.ID)
	if err != nil {
		return p, err
	}
	p.Who = "More pages can be granted by the account owner or a super administrator."
	if len(names) > 0 {
		p.Who = "More pages can be granted by " + oneOf(names) + ", who administer" + when(len(names) == 1, "s") + " it."
	}
	return p, nil
}
