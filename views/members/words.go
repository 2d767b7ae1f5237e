package members

import (
	"strconv"

	"bailiwick/views/ui"
)

func intro(p IndexProps) string {
	return "Who may enter " + p.Workspace + ", and which of its pages each may open. An API key answers to the workspace's authorizations, not to these."
}

func empty(p ListProps) ui.Empty {
	if p.Pager.NextURL != "" {
		return ui.Empty{Icon: "search", Title: "Nobody found yet", Text: "Nobody who was looked at is whom you search. There are more: go on with Next, or search for a longer piece of the name."}
	}
	if p.Search != "" {
		return ui.Empty{Icon: "search", Title: "Nobody found", Text: "No member has “" + p.Search + "” in a name."}
	}
	return ui.Empty{Icon: "people", Title: "No members yet", Text: "Add the RAM users who work here, one of them as administrator."}
}

func nobody(p CandidatesProps) string {
	switch {
	case p.More && p.Search != "":
		return "Nobody found among the first thousand RAM users. Search for more of the name."
	case p.More:
		return "The first thousand RAM users of the account are members. Search for the others."
	case p.Search != "":
		return "No RAM user who is not a member yet has “" + p.Search + "” in a name."
	}
	return "Every RAM user of the account is a member."
}

func roles(administrator bool) []ui.Choice {
	return []ui.Choice{
		{Value: "regular", Label: "User", Hint: "Sees the models, and opens the pages ticked below.", Chosen: !administrator},
		{Value: "administrator", Label: "Administrator", Hint: "Opens every page, sees the Workspace ID, and says who belongs here.", Chosen: administrator},
	}
}

func tabID(i int) string { return "tab-" + strconv.Itoa(i) }

func alone(workspace string) string {
	return "Leave " + workspace + " without an administrator: only the account owner and super administrators can change its members then."
}
