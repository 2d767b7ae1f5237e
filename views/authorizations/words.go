package authorizations

import "bailiwick/views/ui"

func allTitle(p AllProps) string {
	if p.Open {
		return "Authorize all models for calling in " + p.Workspace + "?"
	}
	return "End calling of every model for " + p.Workspace + "?"
}

func allButton(p AllProps) string {
	if p.Open {
		return "Authorize all"
	}
	return "End"
}

func allKind(p AllProps) ui.Kind {
	if p.Open {
		return ui.Primary
	}
	return ui.Danger
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
