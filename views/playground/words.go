package playground

func speaker(role string) string {
	if role == "assistant" {
		return "Model"
	}
	return "You"
}
