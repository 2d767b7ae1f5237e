package audit

import "bailiwick/views/ui"

func intro(p IndexProps) string {
	if p.Workspace == "" {
		return "Every change, log-on and refusal in this account."
	}
	return "What was done in " + p.Workspace + ", by whomever."
}

func empty(p ListProps) ui.Empty {
	switch {
	case p.More:
		return ui.Empty{Icon: "search", Title: "Nothing in the newest lines fits", Text: "Older lines were not looked through yet. Next goes on with them."}
	case p.ClearURL != "":
		return ui.Empty{Icon: "search", Title: "No event fits", Text: "Choose less narrowly, or a longer time."}
	}
	return ui.Empty{Icon: "list", Title: "No event yet", Text: "Whatever is changed or refused from now on stands here."}
}

// rest says that there is more to look through.
const rest = "Only so many lines are looked through at a time. Next goes on with older ones."

func chainIcon(p ChainProps) string {
	switch p.Tone {
	case ui.Good:
		return "check"
	case ui.Bad, ui.Warn:
		return "alert"
	}
	return "info"
}
