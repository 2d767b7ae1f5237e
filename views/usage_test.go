package views_test

import "bailiwick/views/usage"

var usageReport = usage.ReportProps{
	URL: "/u", Sums: []usage.Sum{{Label: "Calls", Value: "1", Change: hostile}}, Chips: []usage.Chip{{Label: "Model", Value: hostile, URL: "/u"}},
	Chart: usage.Chart{
		Title: "Tokens", Top: 5, Ticks: []string{"5", "2", "0"}, Legend: []usage.Legend{{Label: hostile}, {Label: "Others", Rest: true}},
		Columns: []usage.Column{{Label: "1 Nov", Text: "5", Parts: []usage.Part{{Value: 5, Text: "5"}, {}}}, {Label: "2 Nov", Parts: make([]usage.Part, 2)}},
	},
	Lines: usage.LinesProps{Title: "By model", Rows: []usage.Line{{Label: hostile, Code: hostile, URL: "/u", Part: 9}, {Label: "x", Part: 0, Share: 500}}, More: 3},
	Calls: usage.CallsProps{Workspaces: true, Rows: []usage.Call{{Model: hostile, Workspace: hostile, Status: 403, Code: "Model.AccessDenied", RequestID: "r", URL: "/c"}}},
}
