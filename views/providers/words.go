package providers

import "bailiwick/views/ui"

func empty(p ListProps) ui.Empty {
	if p.Search != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No provider has “" + p.Search + "” in its name."}
	}
	return ui.Empty{Icon: "plug", Title: "No providers yet", Text: "Add a place where models run: vLLM, Ollama, OpenAI, or the embedded one."}
}

func formTitle(p FormProps) string {
	if p.New {
		return "Add provider"
	}
	return "Edit provider"
}

func baseURLHint(p FormProps) string {
	if p.HasCredential {
		return "Changing the address clears the credential, so that it is never sent elsewhere."
	}
	return "OpenAI protocol, vLLM and SGLang: ends in /v1. DashScope: ends in /api/v1. Ollama: http://127.0.0.1:11434. The embedded kind and programs of this host have none."
}

func credentialHint(p FormProps) string {
	if p.HasCredential {
		return "One is kept and never shown. Leave this empty to keep it unchanged."
	}
	return "Sent to the provider with every call. It is kept sealed and never shown again."
}

func credentialPlaceholder(p FormProps) string {
	if p.HasCredential {
		return "Unchanged"
	}
	return ""
}

func testTone(p *TestProps) string {
	if p.OK {
		return string(ui.Good)
	}
	return string(ui.Bad)
}

func testIcon(p *TestProps) string {
	if p.OK {
		return "check"
	}
	return "alert"
}
