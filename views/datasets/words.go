package datasets

import "bailiwick/views/ui"

func empty(p ListProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "No such dataset", Text: "Nothing here matches what you searched for."}
	}
	return ui.Empty{
		Icon: "data", Title: "No training files yet",
		Text: "A training file has one example a line, as JSON. Upload yours, or begin with the sample: 160 questions to the support desk of a coffee roaster, with the answers.",
	}
}

func severity(i Item) (ui.Tone, string) {
	if i.Warning {
		return ui.Warn, "Warning"
	}
	return ui.Bad, "Error"
}
