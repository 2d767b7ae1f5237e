package catalogue

import "slices"

// What a model can be asked to do follows from its kinds. Of one that the
// account added itself nobody knows, so it can be asked everything.

// Talks reports whether a model answers messages.
func (m Model) Talks() bool { return m.Writes() || m.Sees() }

// Writes reports whether a model answers messages of text.
func (m Model) Writes() bool { return m.is("TG", "Reasoning") }

// Sees reports whether a model takes pictures in messages.
func (m Model) Sees() bool { return m.is("VU", "Multimodal-Omni") }

// Reasons reports whether a model can be asked to think before it answers.
func (m Model) Reasons() bool { return m.is("Reasoning") }

// Embeds reports whether a model gives vectors for texts.
func (m Model) Embeds() bool {
	return m.is("TR") && (m.anything() || !slices.Contains(m.Output, "Text"))
}

// Ranks reports whether a model orders documents by a query: of the kind "TR"
// it is those that the catalogue gives an output of text.
func (m Model) Ranks() bool { return m.is("TR") && (m.anything() || slices.Contains(m.Output, "Text")) }

func (m Model) anything() bool { return m.Custom || len(m.Kinds) == 0 }

func (m Model) is(kinds ...string) bool {
	return m.anything() || slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(m.Kinds, k) })
}
