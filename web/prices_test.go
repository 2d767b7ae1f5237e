package web_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"bailiwick/internal/usage"
)

func TestPricesAreEditedFromNowOnWithoutScripts(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "for prices")
	o.called(o.a, k.ID, "qwen-turbo", 3)
	costs := func() usage.Costs {
		sum, err := o.store.UsageSums(t.Context(), o.account.ID, usage.Query{})
		o.must(err)
		return sum[0].Costs
	}
	before := costs()
	path := o.at(o.home, "/models/qwen-turbo")
	o.get("super", path).is(200).says("Prices", "Edit").holds(path + `/prices"`)
	o.get("alice", o.at(o.a, "/models/qwen-turbo")).is(200).says("Prices").hides("/prices\"")
	dialog := o.get("super", path+"/prices").is(200).says("Prices of Qwen-Turbo", "calls made before stay as they are booked").holds("input_token 0.3 / 1M tokens", "<option value=\"CNY\" selected")
	version := dialog.field("version")
	o.post("super", path+"/prices", "version", version, "currency", "USD", "prices", "input_token cheap").is(422).says("Line 1: a price is a number").holds("input_token cheap", "<option value=\"USD\" selected")
	o.post("super", path+"/prices", "version", version, "currency", "USD", "prices", "Input<=1k:\r\ninput_token 1\r\n1k<Input<=2k:\r\ninput_token 2").to(path)
	o.get("super", path).is(200).says("$1.00", "$2.00", "Input ≤ 1K")
	o.get("super", o.at(o.a, "/playground/cost?model=qwen-turbo&input=1000&output=0")).is(200).says("$0.001")
	o.post("root", path+"/prices", "version", version, "currency", "CNY", "prices", "input_token 7").is(409).says("The model was changed meanwhile.").holds("input_token 7")
	o.get("root", "/account/audit").is(200).says("Changed the prices of qwen-turbo", "prices:change")
	if after := costs(); len(before) == 0 || before["CNY"] != after["CNY"] || after["USD"] != 0 {
		t.Errorf("what was booked was %v and is %v", before, after)
	}
	o.must(o.config.Catalogue.Install(t.Context(), o.account.ID)) // as at each start
	o.get("super", path).is(200).says("$1.00")
	version = o.ask("root", "GET", path+"/prices", nil, part).is(200).hides("<html").field("version")
	o.ask("root", "POST", path+"/prices", fieldsOf([]string{"version", version, "currency", "CNY", "prices", ""}), part).is(200).says("Prices of Qwen-Turbo saved", "cost nothing").holds(`hx-target="#model-price-list"`)
	if m, err := o.config.Catalogue.Find(t.Context(), o.root, o.home, "qwen-turbo"); err != nil || m.Tariff() != nil {
		t.Errorf("%+v, %v", m.Prices, err)
	}
}

func TestBrowserPricesAreEditedByKeyboardAndPleaseAxe(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("super")
	b.open(o.at(o.home, "/models/qwen-turbo"))
	b.sees("Prices", "¥0.30")
	b.focus(b.find("button", "Edit prices"))
	b.key(kb.Enter)
	b.find("dialog", "Prices of Qwen-Turbo")
	b.examine("Prices of Qwen-Turbo")
	b.fill("textbox", "Prices", "input_token cheap")
	b.click("button", "Save")
	b.sees("Line 1: a price is a number")
	b.examine("Prices of Qwen-Turbo with a mistake")
	b.fill("textbox", "Prices", "input_token 1.25")
	b.focus(b.find("button", "Save"))
	b.key(kb.Enter)
	b.gone("dialog", "Prices of Qwen-Turbo")
	b.sees("Prices of Qwen-Turbo saved", "¥1.25")
	b.examine("Qwen-Turbo with other prices")
}
