package keys

import (
	"strconv"

	"bailiwick/views/ui"
)

func intro(p IndexProps) string {
	if p.Workspace == "" {
		return "The keys of every workspace whose keys you may see. A key belongs to one workspace and never leaves it."
	}
	return "Programs present a key of " + p.Workspace + " to call its models. A key never leaves its workspace."
}

func empty(p ListProps) ui.Empty {
	switch {
	case p.Pager.NextURL != "":
		return ui.Empty{Icon: "search", Title: "Nothing found yet", Text: "None of the keys that were looked at is what you search. There are more: go on with Next, or search for a longer piece."}
	case p.Search != "":
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No key has “" + p.Search + "” in its description or ID, or at the end of its secret."}
	case p.ClearURL != "":
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No key is in this state."}
	case p.Workspaces:
		return ui.Empty{Icon: "key", Title: "No API keys yet", Text: "Open a workspace and create one there."}
	}
	return ui.Empty{Icon: "key", Title: "No API keys yet", Text: "Create one to call models from a program."}
}

func scopes(custom bool) []ui.Choice {
	return []ui.Choice{
		{Value: "all", Label: "All", Hint: "Every model the workspace may call, now and later, from every address.", Chosen: !custom},
		{Value: "custom", Label: "Custom", Hint: "Narrower than the workspace: some models, some addresses. Never wider.", Chosen: custom},
	}
}

func modelChoices(only bool) []ui.Choice {
	return []ui.Choice{
		{Value: "no", Label: "Every model", Hint: "As the workspace is authorized.", Chosen: !only},
		{Value: "yes", Label: "Only these", Hint: "Whatever else the workspace may call.", Chosen: only},
	}
}

func modelsLine(p BodyProps) string {
	if p.AllModels {
		return "Every model the workspace may call"
	}
	return "Only " + strconv.Itoa(len(p.Models))
}
