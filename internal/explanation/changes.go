package explanation

import (
	"bailiwick/internal/catalogue"
	"bailiwick/internal/policy"
)

// Who can make a change.
const (
	theCaller    = "whoever runs the program"
	theKeepers   = "an administrator of the workspace, or a member with the page API Keys"
	theLeaders   = "an administrator of the workspace"
	theOwners    = "the account owner (root) or a super administrator"
	theDeployers = "an administrator of the workspace, or a member with the page Deployments"
	theRootUser  = "the account owner (root)"
)

// change puts a change into words.
func (s speech) change(c policy.Change) Change {
	out := Change{Do: c.Do, Where: Where{Workspace: c.Workspace, Model: c.Model, User: c.User}}
	if c.Key != nil {
		out.Where.Key = c.Key.ID
	}
	out.Text, out.Who = s.doing(c)
	switch out.Flips = c.Next == policy.Nothing; {
	case out.Flips:
		out.Then = "The call is allowed then."
	case c.Next == policy.Depends:
		out.Then = "What follows depends on that key."
	default:
		out.Then = "Then the next check refuses: " + lower(Title(c.Next, s.Question.Capability, s.Question.Person != "")) + "."
	}
	return out
}

func (s speech) doing(c policy.Change) (text, who string) {
	place := s.placeOf(c)
	switch c.Do {
	case policy.PresentKey:
		return "Present a key that was issued here and not deleted since.", theCaller
	case policy.PresentSecret:
		return "Present the key's present secret, the one of its last reset.", theCaller
	case policy.RenewTemporary:
		return "Ask for a fresh temporary key.", theCaller
	case policy.NameOwn:
		return "Name " + place + ", the key's own workspace, and no other. To act elsewhere, present a key of that workspace.", theCaller
	case policy.SayAddress:
		return "Say the address, or call from one of the key's networks, such as " + c.Address.String() + ".", theCaller
	case policy.ChooseModel:
		return "Ask for another model; " + string(c.Model) + " offers " + c.Capability.Title() + " and is open to this call.", theCaller
	case policy.IssueKey:
		return "Issue another key in " + place + " and present that one.", theKeepers
	case policy.EnableKey:
		return "Enable the key.", theKeepers
	case policy.ExtendKey:
		return "Let the key expire later.", theKeepers
	case policy.EnableUser:
		return "Enable " + orElse(s.owner, "the user") + ".", theOwners
	case policy.AddMember:
		return "Add " + orElse(s.owner, "the user") + " to the members of " + place + ".", theLeaders
	case policy.AllowAddress:
		if !c.Address.IsValid() {
			return "Let the key be used from everywhere.", theKeepers
		}
		return "Add " + c.Address.String() + " to the networks of the key.", theKeepers
	case policy.WidenKey:
		return "Add " + string(c.Model) + " to the scope of the key.", theKeepers
	case policy.Authorize:
		return "Authorize " + place + " for " + c.Capability.Title() + " of " + string(c.Model) + ".", theOwners
	case policy.AddModel:
		return "Import " + string(c.Model) + " at a provider" + offering(c.Capability) + ", or correct its name.", theRootUser
	case policy.Serve:
		if s.Model != nil && s.Model.Private() {
			return "Start the deployment " + string(c.Model) + ", or wait until it is up.", theDeployers
		}
		return "Let a provider serve " + string(c.Model) + ".", theRootUser
	}
	return "", ""
}

func offering(c catalogue.Capability) string {
	if c == catalogue.Call {
		return ""
	}
	return " that offers " + c.Title()
}

// placeOf names the workspace of a change.
func (s speech) placeOf(c policy.Change) string {
	return orElse(s.nameOf(c.Workspace), string(c.Workspace))
}

func lower(title string) string {
	if title == "" {
		return "it cannot be made"
	}
	return "“" + title + "”"
}
