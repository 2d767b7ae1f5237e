package models

import (
	"strconv"
	"strings"

	"bailiwick/views/ui"
)

// word makes a label fit for an id or an attribute: "model-calling".
func word(label string) string {
	return strings.ReplaceAll(strings.ToLower(label), " ", "-")
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func empty(p ListProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No model fits the search and the filters."}
	}
	return ui.Empty{Icon: "cube", Title: "No models", Text: "Import models from a provider to see them here."}
}

func chosenOf(list []Choice, authorized bool) []Choice {
	var chosen []Choice
	for _, c := range list {
		if c.Authorized == authorized {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func emptySide(key string) string {
	if key == "in" {
		return "No sub-workspace is authorized."
	}
	return "Every sub-workspace is authorized."
}

// authorizedText names the first few and counts the others.
func authorizedText(names []string) string {
	const shown = 3
	switch {
	case len(names) == 0:
		return "No sub-workspace is authorized."
	case len(names) > shown:
		rest := strconv.Itoa(len(names) - shown)
		return strings.Join(names[:shown], ", ") + " and " + rest + " more"
	default:
		return strings.Join(names, ", ")
	}
}

// rightNotes are the lines under the name of a right.
func rightNotes(p RightsProps, r Right) []string {
	var lines []string
	if r.State == NotOffered {
		return append(lines, orElse(r.Note, "This model does not offer it."))
	}
	if p.Default {
		lines = append(lines, authorizedText(r.Authorized))
	}
	if r.Note != "" {
		lines = append(lines, r.Note)
	}
	return lines
}

func conflictNotice(c Conflict) *ui.Notice {
	who := orElse(c.By, "Somebody")
	text := who + " changed this list"
	if c.When != "" {
		text += " " + c.When
	}
	n := &ui.Notice{
		Tone:  ui.Warn,
		Title: "The list was changed meanwhile.",
		Text:  text + ". Nothing is saved yet: your choice stands below, and OK saves it over that change.",
	}
	if len(c.Granted) > 0 {
		n.Items = append(n.Items, "Authorized meanwhile: "+strings.Join(c.Granted, ", "))
	}
	if len(c.Revoked) > 0 {
		n.Items = append(n.Items, "Revoked meanwhile: "+strings.Join(c.Revoked, ", "))
	}
	return n
}

// everyText says who is authorized whatever the dialog says.
func everyText(names []string) string {
	if len(names) == 1 {
		return names[0] + " is authorized to call every model, so it does not stand in the lists. That is ended under"
	}
	return strings.Join(names, ", ") + " are authorized to call every model, so they do not stand in the lists. That is ended under"
}

func nobodyTitle(p AuthorizeProps) string {
	if len(p.Every) > 0 {
		return "No other sub-workspace"
	}
	return "No sub-workspace yet"
}
