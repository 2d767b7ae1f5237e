package access

import (
	"slices"

	"bailiwick/internal/fault"
)

// PageWords are a page as the dialog of a member's permissions shows it.
type PageWords struct {
	Page   Page
	Title  string
	Allows string // what it lets a person do, in words
}

// Tab is one tab of that dialog, as in the original.
type Tab struct {
	Title string
	Pages []PageWords
}

// Tabs hold every page that can be granted. The tab "Others" of the original
// also has Administrator, which is a role and no page.
var Tabs = []Tab{
	{"Models", []PageWords{
		{PagePlayground, "Playground", "Talk with the models that the workspace may call. It is booked as the workspace's."},
		{PageDatasets, "Datasets", "See, upload and delete the training files of the workspace."},
		{PageTraining, "Training", "Train models that the workspace may train, and publish, download and delete what comes of it."},
		{PageDeployments, "Deployments", "Put models up for calls, scale them, stop them and take them away."},
		{PageUsage, "Usage", "See what the workspace's calls consumed."},
	}},
	{"Others", []PageWords{{PageKeys, "API Keys", "See, create, disable and delete all keys of the workspace."}}},
}

// Title is a page's name on screens.
func (p Page) Title() string { return p.words().Title }

// Allows says what a page lets a person do.
func (p Page) Allows() string { return p.words().Allows }

func (p Page) words() PageWords {
	for _, t := range Tabs {
		for _, w := range t.Pages {
			if w.Page == p {
				return w
			}
		}
	}
	return PageWords{Page: p, Title: string(p)}
}

// Words say what a membership lets a person do, a sentence each.
func (m Membership) Words() []string {
	words := []string{"Enter the workspace and see its models."}
	pages := m.Pages
	if m.Role == Administrator {
		pages = Pages
	}
	for _, p := range pages {
		words = append(words, p.Allows())
	}
	if m.Role == Administrator {
		words = append(words, "Say who belongs to the workspace and which pages they may open.", "Read the workspace's limits, its audit trail and its ID.")
	}
	return words
}

// Preset is a set of pages that is granted often.
type Preset struct {
	Name  string
	Pages []Page
}

// Presets are the sets the original's documentation recommends, as far as the
// console has their pages.
var Presets = []Preset{
	{"Console calling", []Page{PagePlayground, PageUsage}},
	{"Console training", []Page{PagePlayground, PageDatasets, PageTraining, PageDeployments, PageUsage}},
	{"Everything but administration", Pages},
}

// KnownPages gives pages once each, in the order of Pages; one that does not
// exist is a fault on field "pages".
func KnownPages(pages []Page) ([]Page, error) {
	for _, p := range pages {
		if !slices.Contains(Pages, p) {
			return nil, fault.Field("pages", "There is no page %q to grant.", string(p))
		}
	}
	var known []Page
	for _, p := range Pages {
		if slices.Contains(pages, p) {
			known = append(known, p)
		}
	}
	return known, nil
}
