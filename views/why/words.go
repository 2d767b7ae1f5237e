package why

func intro(p IndexProps) string {
	if p.Workspace != "" {
		return "Why calls with the keys of " + p.Workspace + " are allowed or refused, who set that, and what would change it."
	}
	return "Why calls are allowed or refused, who set that, and what would change it."
}

func changing(list []Change) string {
	switch {
	case len(list) == 1 && list[0].Flips:
		return "The one change that would allow it"
	case list[len(list)-1].Flips:
		return "What would have to change, all of it"
	}
	return "What would have to change first"
}

func stateClass(s State) string {
	switch s {
	case Passed:
		return "passed"
	case Failed:
		return "failed"
	}
	return "unasked"
}

func stateIcon(s State) string {
	switch s {
	case Passed:
		return "check"
	case Failed:
		return "x"
	}
	return "dot"
}

func stateWord(s State) string {
	switch s {
	case Passed:
		return "Passed:"
	case Failed:
		return "Refused:"
	}
	return "Not asked any more:"
}
