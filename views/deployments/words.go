package deployments

import "bailiwick/views/ui"

func empty(p ListProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "No deployment fits", Text: "Search for something else, or show every deployment."}
	}
	e := ui.Empty{Icon: "deploy", Title: "Nothing is deployed yet", Text: "A deployment keeps a model ready for this workspace alone, under a name of its own: one that you trained, or one that the workspace may deploy."}
	if p.DeployURL == "" {
		e.Text += " Somebody with the page Deployments can put one up."
	}
	return e
}
