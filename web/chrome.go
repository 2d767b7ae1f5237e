package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/workspace"
	"bailiwick/static"
	"bailiwick/views/layout"
)

// shownWorkspaces is how many workspaces the drop-down holds; the others are
// found in Workspace Management.
const shownWorkspaces = 100

// The keys of the navigation's lines.
const (
	atModels         = "models"
	atPlayground     = "playground"
	atDatasets       = "datasets"
	atKeys           = "keys"
	atMembers        = "members"
	atUsage          = "usage"
	atWhy            = "why"
	atAccountWhy     = "account-why"
	atWorkspaces     = "workspaces"
	atUsers          = "users"
	atProviders      = "providers"
	atAuthorizations = "authorizations"
	atSettings       = "settings"
	atSecurity       = "security" // of the account menu
	atManagement     = "management"
)

// assets are what every page loads.
func assets() layout.Assets {
	return layout.Assets{
		Styles:  []string{static.URL("tokens.css"), static.URL("base.css"), static.URL("shell.css"), static.URL("parts.css")},
		Theme:   static.URL("theme.js"),
		Scripts: []string{static.URL("console.js"), static.URL("transfer.js"), static.URL("playground.js"), static.URL("passkey.js")},
		HTMX:    static.Optional("htmx.min.js"),
		Font:    static.Optional("font.css"),
		Favicon: static.URL("favicon.svg"),
		Sprite:  static.Text("icons.svg"),
	}
}

// bare is the frame of a page without a person.
func (s *Server) bare(title string) layout.BareProps {
	return layout.BareProps{Title: title, PlainHTTP: s.WarnPlain, Assets: assets()}
}

// chrome is the frame of a page, with what is to be said once. The key says
// which line of the navigation the page belongs to.
func (s *Server) chrome(c echo.Context, title, key string) (layout.Chrome, error) {
	p, err := s.frame(c, title, key)
	if err != nil {
		return p, err
	}
	p.Toast, err = s.takeNotice(c)
	return p, err
}

// frame is the frame of a page.
func (s *Server) frame(c echo.Context, title, key string) (layout.Chrome, error) {
	v := visitOf(c)
	mine, err := s.mine(c.Request().Context(), v.actor)
	if err != nil {
		return layout.Chrome{}, err
	}
	p := layout.Chrome{
		Title: title, Cloud: s.CloudName, HomeURL: homeURL, PlainHTTP: s.WarnPlain, Assets: assets(),
		Who:        who(v.actor, mine),
		Workspaces: workspaceLinks(mine, v.here),
		AccountNav: accountNav(v.actor, key),
		Menu:       layout.AccountMenu{ManageURL: workspacesURL, KeysURL: accountKeysURL, SecurityURL: securityURL, LogOffURL: logOffURL},
	}
	if key != atSecurity {
		due, err := s.Accounts.Remind(c.Request().Context(), v.actor)
		if err != nil {
			return layout.Chrome{}, err
		}
		if due {
			p.Reminder = &layout.Reminder{URL: securityURL, OffURL: putOffURL}
		}
	}
	if v.here != nil {
		p.Workspace = s.details(c, *v.here)
		p.WorkspaceNav = workspaceNav(v.actor, *v.here, key)
	}
	return p, nil
}

// mine gives the workspaces the actor may enter.
func (s *Server) mine(ctx context.Context, by access.Actor) ([]workspace.Listed, error) {
	page, _, err := s.Workspaces.List(ctx, by, workspace.Filter{Limit: shownWorkspaces})
	return page, err
}

func workspaceLinks(mine []workspace.Listed, here *workspace.Workspace) []layout.WorkspaceLink {
	links := make([]layout.WorkspaceLink, len(mine))
	for i, w := range mine {
		links[i] = layout.WorkspaceLink{Name: w.Name, URL: modelsURL(w.ID), Default: w.Default, Current: here != nil && here.ID == w.ID}
	}
	return links
}

// workspaceNav lists the pages of a workspace that the actor may open.
func workspaceNav(by access.Actor, w workspace.Workspace, key string) []layout.NavItem {
	item := func(k, label, url string, do access.Action) layout.NavItem {
		return layout.NavItem{Key: k, Label: label, URL: when(by.MayIn(w.ID, do), url), Current: k == key}
	}
	return []layout.NavItem{
		item(atModels, "Models", modelsURL(w.ID), access.ReadModels),
		item(atPlayground, "Playground", playgroundURL(w.ID), access.UsePlayground),
		item(atDatasets, "Datasets", datasetsURL(w.ID), access.ReadDatasets),
		item(atTrainings, "Training", trainingsURL(w.ID), access.ReadTrainings),
		item(atOwnModels, "My Models", ownModelsURL(w.ID), access.ReadTrainings),
		item(atDeployments, "Deployments", deploymentsURL(w.ID), access.ReadDeployments),
		item(atKeys, "API Keys", keysURL(w.ID), access.ReadKeys),
		item(atMembers, "Members", membersURL(w.ID), access.ReadMembers),
		item(atUsage, "Usage", usageURL(w.ID), access.ReadUsage),
		item(atLimits, "Limits", limitsURL(w.ID), access.ReadLimits),
		item(atWhy, "Why?", whyURL(w.ID), access.ReadKeys),
		item(atAudit, "Audit", workspaceAuditURL(w.ID), access.ReadTrail),
	}
}

// accountNav lists the pages of the account that the actor may open.
func accountNav(by access.Actor, key string) []layout.NavItem {
	item := func(k, label, url string, do access.Action) layout.NavItem {
		return layout.NavItem{Key: k, Label: label, URL: when(by.May(do), url), Current: k == key}
	}
	return []layout.NavItem{
		item(atWorkspaces, "Workspace Management", workspacesURL, access.ListWorkspaces),
		item(atUsers, "RAM Users", usersURL, access.ReadUsers),
		item(atAuthorizations, "Model Authorizations", authorizationsURL, access.ReadGrants),
		item(atAccountLimits, "Account Limits", accountLimitsURL, access.ChangeLimits),
		item(atProviders, "Providers", providersURL, access.ReadProviders),
		item(atAccountWhy, "Why?", accountWhyURL, access.ReadGrants),
		item(atManagement, "Management API", managementURL, access.ReadAdminKeys),
		item(atAccountAudit, "Audit", auditURL, access.ReadAudit),
		item(atAccountUsage, "Usage", accountUsageURL, access.ReadAllUsage),
		item(atSettings, "Settings", settingsURL, access.ReadSettings),
	}
}

// when gives a text where something holds, and else nothing. With an address it
// says what may be done: what has none is not shown.
func when(holds bool, text string) string {
	if holds {
		return text
	}
	return ""
}

// who says who is logged on, and as what.
func who(by access.Actor, mine []workspace.Listed) layout.Who {
	w := layout.Who{Name: by.Name, LogOn: by.FullName()}
	if w.Name == "" {
		w.Name = w.LogOn
	}
	switch by.Role {
	case access.Root:
		w.Role = "Account owner (root)"
	case access.Super:
		w.Role = "RAM user · super administrator"
	default:
		w.Role = "RAM user" + standing(by, mine)
	}
	return w
}

// standing says what a RAM user is in the workspaces they belong to.
func standing(by access.Actor, mine []workspace.Listed) string {
	var administers, belongs []string
	for _, w := range mine {
		if by.In[w.ID].Role == access.Administrator {
			administers = append(administers, w.Name)
		} else {
			belongs = append(belongs, w.Name)
		}
	}
	text := ""
	if len(administers) > 0 {
		text += " · administers " + some(administers)
	}
	if len(belongs) > 0 {
		text += " · member of " + some(belongs)
	}
	return text
}

// some names the first two and counts the others.
func some(names []string) string {
	if len(names) > 2 {
		return strings.Join(names[:2], ", ") + " and " + strconv.Itoa(len(names)-2) + " more"
	}
	return strings.Join(names, " and ")
}
