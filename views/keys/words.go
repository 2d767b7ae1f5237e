package keys

import "bailiwick/views/ui"

func intro(p IndexProps) string {
	if p.Workspace == "" {
		return "The keys of every workspace. A key belongs to one workspace and never leaves it."
	}
	return "Programs present a key of " + p.Workspace + " to call its models. A key never leaves its workspace."
}

func empty(p ListProps) ui.Empty {
	if p.Search != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No key has “" + p.Search + "” in its description or ID."}
	}
	return ui.Empty{Icon: "key", Title: "No API keys yet", Text: "Create one to call models from a program."}
}
