package workspaces

import (
	"strconv"

	"bailiwick/views/ui"
)

func rowID(i int) string { return "workspace-" + strconv.Itoa(i) }

// searchLabel promises a search by ID only where an ID can be seen.
func searchLabel(p ListProps) string {
	for _, r := range p.Rows {
		if r.ID != "" {
			return "Search by name or ID"
		}
	}
	return "Search workspaces"
}

func empty(p ListProps) ui.Empty {
	if p.Search != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No workspace has “" + p.Search + "” in its name or ID."}
	}
	return ui.Empty{Icon: "layers", Title: "No workspace to enter", Text: "Ask the account's owner to add you to one."}
}

func nameField(value, mistake string) ui.Field {
	return ui.Field{
		Name: "name", Label: "Workspace Name", Value: value, Error: mistake, Focus: true, Required: true,
		Hint: "1–30 characters, unique in the account.", Autocomplete: "off", MaxLength: 200,
	}
}

func conflictNotice(c Conflict) *ui.Notice {
	who := "Somebody"
	if c.By != "" {
		who = c.By
	}
	text := who + " changed it"
	if c.When != "" {
		text += " " + c.When
	}
	if c.Now != "" {
		text += ". Its name is now “" + c.Now + "”"
	}
	return &ui.Notice{
		Tone:  ui.Warn,
		Title: "This workspace was changed meanwhile.",
		Text:  text + ". What you typed is kept below; OK saves it over that.",
	}
}

func deleteTitle(p DeleteProps) string {
	if p.Refusal != "" {
		return p.Name + " cannot be deleted yet"
	}
	return "Delete " + p.Name + "?"
}
