package users

import (
	"strconv"

	"bailiwick/views/ui"
)

func intro(p IndexProps) string {
	return "Who may log on as name@" + p.Alias + ". A RAM user enters the workspaces they belong to, and opens the pages granted there."
}

func empty(p ListProps) ui.Empty {
	if p.Pager.NextURL != "" {
		return ui.Empty{Icon: "search", Title: "Nobody found yet", Text: "Nobody who was looked at is whom you search. There are more: go on with Next, or search for a longer piece of the name."}
	}
	if p.Search != "" {
		return ui.Empty{Icon: "search", Title: "Nobody found", Text: "No RAM user has “" + p.Search + "” in a name or an e-mail address."}
	}
	if p.ClearURL != "" {
		return ui.Empty{Icon: "people", Title: "Nobody found", Text: "No RAM user is in this state."}
	}
	return ui.Empty{Icon: "people", Title: "No RAM users yet", Text: "Create one for every person who works here, then make them members of a workspace."}
}

func ways(chosen string) []ui.Choice {
	return []ui.Choice{
		{Value: "link", Label: "One-time link", Hint: "They open it within 7 days and choose a password nobody else knows.", Chosen: chosen != "password"},
		{Value: "password", Label: "Password to be changed", Hint: "One is drawn and shown to you. They must change it when they first log on.", Chosen: chosen == "password"},
	}
}

func keyCount(n int) string {
	if n == 0 {
		return "None"
	}
	return strconv.Itoa(n)
}

func summary(p ImportProps) string {
	all := len(p.Report)
	if p.Well {
		return people(all) + " can be added. Nobody was added yet."
	}
	return people(p.Good) + " of " + strconv.Itoa(all) + " can be added. Nobody is added until every line is well."
}

func people(n int) string {
	if n == 1 {
		return "1 RAM user"
	}
	return strconv.Itoa(n) + " RAM users"
}
