package layout

import (
	"strings"
	"unicode/utf8"
)

// navIcons gives every key of the navigation its symbol. A screen of the whole
// account may carry the key of its counterpart: "account-keys".
var navIcons = map[string]string{
	"models":         "cube",
	"playground":     "chat",
	"datasets":       "data",
	"training":       "train",
	"own-models":     "cube",
	"deployments":    "deploy",
	"keys":           "key",
	"members":        "people",
	"usage":          "bars",
	"limits":         "gauge",
	"why":            "why",
	"workspaces":     "layers",
	"users":          "people",
	"authorizations": "grid",
	"providers":      "plug",
	"audit":          "list",
	"settings":       "sliders",
	"management":     "key",
}

func navIcon(key string) string {
	if icon, ok := navIcons[strings.TrimPrefix(key, "account-")]; ok {
		return icon
	}
	return "square"
}

func currentName(w *Workspace) string {
	if w == nil {
		return "Choose one"
	}
	return w.Name
}

// initial is the letter that stands for a person.
func initial(w Who) string {
	r, _ := utf8.DecodeRuneInString(w.Name + w.LogOn + "?")
	return strings.ToUpper(string(r))
}
