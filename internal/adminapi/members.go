package adminapi

import (
	"net/http"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

// Member is a RAM user inside one workspace.
type Member struct {
	User     string   `json:"user" example:"usr-7d2k9f0a1c3e5g8h"`
	LogOn    string   `json:"logon"`
	Name     string   `json:"name" doc:"Display name."`
	Role     string   `json:"role" enum:"administrator,regular"`
	Pages    []string `json:"pages" doc:"The pages granted to a regular user; an administrator has every page."`
	Disabled bool     `json:"disabled" doc:"May not log on at all."`
	Super    bool     `json:"super" doc:"Has full access anyway."`
	Version  int64    `json:"version" doc:"The ETag is this number in quotes."`
}

func (m Member) version() int64 { return m.Version }

// MemberRole is what somebody shall be in a workspace.
type MemberRole struct {
	Role  string   `json:"role" required:"true" enum:"administrator,regular"`
	Pages []string `json:"pages" doc:"For a regular user: the pages they may open, such as keys and usage."`
	Alone bool     `json:"alone" doc:"true: the workspace may be left without an administrator."`
}

// NewMember is a RAM user to be added.
type NewMember struct {
	User string `json:"user" required:"true" example:"usr-7d2k9f0a1c3e5g8h"`
	MemberRole
}

func memberOf(m workspace.ListedMember) Member {
	return Member{User: string(m.User), LogOn: string(m.LogOn), Name: m.Name, Role: string(m.Role), Pages: words(m.Pages), Disabled: m.Disabled, Super: m.Super, Version: m.Version}
}

func memberOperations() []operation {
	const group, all, one = "Members", "/workspaces/{workspace}/members", "/workspaces/{workspace}/members/{user}"
	alone := parameter{name: "alone", about: "true: the workspace may be left without an administrator.", kind: "boolean"}
	return []operation{
		{group: group, id: "listMembers", method: "GET", path: all, action: access.ReadMembers, summary: "List the members of a workspace", notes: "By log-on name.",
			query: []parameter{search}, paged: true, answer: Page[Member]{}, run: listMembers},
		{group: group, id: "addMember", method: "POST", path: all, action: access.ChangeMembers, summary: "Add a RAM user to a workspace",
			body: NewMember{}, answer: Member{}, status: http.StatusCreated, fails: []int{409}, run: addMember},
		{group: group, id: "getMember", method: "GET", path: one, action: access.ReadMembers, summary: "Read a member", answer: Member{},
			run: onMember(func(*call, ident.User) error { return nil })},
		{group: group, id: "putMember", method: "PUT", path: one, action: access.ChangeMembers, summary: "Set a member's role and pages",
			body: MemberRole{}, answer: Member{}, match: true, fails: []int{409}, run: onMember(putMember)},
		{group: group, id: "removeMember", method: "DELETE", path: one, action: access.ChangeMembers, summary: "Remove a member",
			notes: "The API keys they own there stop until they are added again.", query: []parameter{alone}, fails: []int{409}, run: removeMember},
	}
}

// onMember does something to the member that the path names and answers with
// what the member is then.
func onMember(do func(*call, ident.User) error) func(*call) (any, error) {
	return onPerson(do, (*call).readMember)
}

func (c *call) readMember(id ident.User) (any, error) {
	m, err := c.services.Members.Find(c.ctx, c.by, c.place, id)
	return memberOf(m), err
}

func listMembers(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	found, next, err := c.services.Members.List(c.ctx, c.by, c.place, workspace.MemberFilter{Search: c.text("search"), After: c.text("after"), Limit: limit})
	return pageOf(found, next, err, memberOf)
}

func (c *call) seat(id ident.User, in MemberRole, version int64) error {
	m := workspace.Member{User: id, Role: access.Role(in.Role), Version: version}
	for _, p := range in.Pages {
		m.Pages = append(m.Pages, access.Page(p))
	}
	return c.services.Members.Put(c.ctx, c.by, c.place, []workspace.Member{m}, in.Alone)
}

func addMember(c *call) (any, error) {
	var in NewMember
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := ident.ParseUser(in.User)
	if err != nil {
		return nil, err
	}
	err = c.seat(id, in.MemberRole, 0)
	if _, stale := fault.On(err, "version"); stale && fault.Is(err, fault.Conflict) {
		err = fault.New(fault.Conflict, "This user is a member already. Change the member instead.").About("user")
	}
	if err != nil {
		return nil, err
	}
	return c.readMember(id)
}

func putMember(c *call, id ident.User) error {
	var in MemberRole
	if err := c.read(&in); err != nil {
		return err
	}
	if _, err := c.services.Members.Find(c.ctx, c.by, c.place, id); err != nil {
		return err
	}
	return c.seat(id, in, c.match)
}

func removeMember(c *call) (any, error) {
	id, err := c.user()
	if err != nil {
		return nil, err
	}
	alone, err := c.flag("alone")
	if err != nil {
		return nil, err
	}
	return nil, c.services.Members.Remove(c.ctx, c.by, c.place, id, alone)
}
