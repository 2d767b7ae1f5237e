package web

import (
	"slices"
	"strconv"
	"strings"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/limit"
	"bailiwick/views/models"
)

// textual reports whether a model answers with text: those are called through
// the dialects that the samples show.
func textual(m catalogue.Model) bool {
	return slices.Contains(m.Kinds, "TG") || slices.Contains(m.Kinds, "Reasoning") || slices.Contains(m.Kinds, "VU")
}

// modelType is the one word for what a model is mainly for.
func modelType(m catalogue.Model) string {
	for _, kind := range []string{"Multimodal-Omni", "VU", "TG"} {
		if slices.Contains(m.Kinds, kind) {
			return catalogue.KindTitle(kind)
		}
	}
	if len(m.Kinds) == 0 {
		return "Other"
	}
	return catalogue.KindTitle(m.Kinds[0])
}

var features = map[string]string{
	"model-experience": "", "function-calling": "Function calling", "cache": "Context cache", "structured-outputs": "Structured output",
	"prefix-completion": "Prefix completion", "batch": "Batch", "web-search": "Web search", "fine-tuning": "Fine-tuning",
}

// modelTags are what a model can do, in words.
func modelTags(m catalogue.Model) []string {
	var tags []string
	if slices.Contains(m.Kinds, "Reasoning") {
		tags = append(tags, "Reasoning")
	}
	for _, code := range m.Features {
		title, known := features[code]
		if !known {
			title = code
		}
		if title != "" {
			tags = append(tags, title)
		}
	}
	return tags
}

// modelFacts are the lines of the panel's facts; what is not given is left out.
func modelFacts(m catalogue.Model) []models.Fact {
	all := []models.Fact{
		{Label: "Context window", Value: sized(m.Context)},
		{Label: "Longest input", Value: sized(m.MaxInput)},
		{Label: "Longest output", Value: sized(m.MaxOutput)},
		{Label: "Input", Value: strings.Join(m.Input, ", ")},
		{Label: "Output", Value: strings.Join(m.Output, ", ")},
		{Label: "Training methods", Value: ways(m.TrainingWays)},
		{Label: "Online since", Value: m.OnlineSince},
		{Label: "Weights", Value: when(m.OpenWeights, "Open")},
		{Label: "Version", Value: when(m.Snapshot, "A dated snapshot")},
		{Label: "Source", Value: when(m.Custom, "Added by this account")},
	}
	return slices.DeleteFunc(all, func(f models.Fact) bool { return f.Value == "" })
}

func sized(n int) string {
	if n == 0 {
		return ""
	}
	return number(n) + " tokens"
}

func ways(by map[string][]string) string {
	var words []string
	for method, kinds := range by {
		text := strings.ToUpper(method)
		if len(kinds) > 0 {
			text += " (" + strings.Join(kinds, ", ") + ")"
		}
		words = append(words, text)
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// modelLimits are the account's limits of a model, a minute.
func modelLimits(m catalogue.Model) []models.Fact {
	var facts []models.Fact
	if n := catalogue.PerMinute(m.Limit.Requests, m.Limit.RequestPeriod); n > 0 {
		facts = append(facts, models.Fact{Label: "Requests", Value: number(n), Note: "a minute"})
	}
	if n := catalogue.PerMinute(m.Limit.Usage, m.Limit.UsagePeriod); n > 0 {
		facts = append(facts, models.Fact{Label: "Tokens", Value: number(n), Note: "a minute"})
	}
	if by := setBy(limit.SettingOf(m.Limit).Setter()); by != "" && len(facts) > 0 {
		facts = append(facts, models.Fact{Label: "Set", Value: strings.TrimPrefix(by, "Set ")})
	}
	return facts
}

// priceWords is the price that the gallery shows: of input and output, or of
// the first thing that is paid for.
func priceWords(m catalogue.Model) (price, unit string) {
	if len(m.Prices) == 0 {
		return "", ""
	}
	in, found := m.PriceOf("input_token")
	out, both := m.PriceOf("output_token")
	if found && both {
		return money(in) + " / " + money(out), "per " + in.Unit + ", in / out"
	}
	return money(m.Prices[0]), "per " + m.Prices[0].Unit
}

// priceNumber is what the gallery sorts prices by.
func priceNumber(m catalogue.Model) float64 {
	p, found := m.PriceOf("input_token")
	if !found && len(m.Prices) > 0 {
		p = m.Prices[0]
	}
	n, _ := strconv.ParseFloat(p.Amount, 64) // a price that is no number comes first
	return n
}

func money(p catalogue.Price) string {
	amount := p.Amount
	if whole, cents, found := strings.Cut(amount, "."); !found {
		amount = whole + ".00"
	} else if len(cents) == 1 {
		amount += "0"
	}
	return inCurrency(p.Currency, amount)
}

// inCurrency writes an amount as people do in whose money it is.
func inCurrency(currency, amount string) string {
	switch currency {
	case "CNY":
		return "¥" + amount
	case "USD":
		return "$" + amount
	}
	return amount + " " + currency
}

// priceTiers is the price list, cut by length of input.
func priceTiers(m catalogue.Model) []models.PriceTier {
	var tiers []models.PriceTier
	for _, p := range m.Prices {
		if at := tierWords(p.Tier); len(tiers) == 0 || tiers[len(tiers)-1].Range != at {
			tiers = append(tiers, models.PriceTier{Range: at})
		}
		last := &tiers[len(tiers)-1]
		last.Items = append(last.Items, models.Fact{Label: priceTitle(p.Item), Value: money(p), Note: "per " + p.Unit})
	}
	return tiers
}

var tierSigns = strings.NewReplacer("<=", " ≤ ", "<", " < ", "k", "K", "1m", "1M")

func tierWords(tier string) string { return tierSigns.Replace(tier) }

// priceTitle writes what is paid for in words: "thinking_input_token_cache" is
// "Input, thinking, cached".
func priceTitle(item string) string {
	if title, known := priceTitles[item]; known {
		return title
	}
	var words, more []string
	for _, w := range strings.Split(item, "_") {
		switch w {
		case "token":
		case "thinking", "batch", "chat", "creation", "read":
			more = append(more, w)
		case "cache":
			more = append(more, "cached")
		default:
			words = append(words, w)
		}
	}
	title := strings.Join(words, " ")
	if title != "" {
		title = strings.ToUpper(title[:1]) + title[1:]
	}
	return strings.Join(append([]string{title}, more...), ", ")
}

var priceTitles = map[string]string{
	"ft": "Training", "image_number": "Image", "embedding_token": "Embedding", "content_duration": "Audio",
	"cosy_tts_number": "Speech", "video_ratio_480p": "Video, 480p", "video_ratio_720p": "Video, 720p", "video_ratio_1080p": "Video, 1080p",
	"720P_batch": "Video, 720p, batch", "1080P_batch": "Video, 1080p, batch",
	"input_token_cache_creation_5m": "Input, written to cache for 5 minutes", "input_token_cache_read": "Input, read from cache",
	"purein_text_output_token": "Text output for text", "multiin_text_output_token": "Text output for other input", "multi_output_token": "Text and audio output",
	"thinking_purein_text_output_token": "Text output for text, thinking", "thinking_multiin_text_output_token": "Text output for other input, thinking",
}
