package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// byName is the tab with the console at a host name, to which passkeys can be bound.
func (b *tab) byName() *tab {
	b.base = strings.Replace(b.base, "127.0.0.1", "localhost", 1)
	return b
}

// device plugs in a device that keeps passkeys and whose owner is there.
func (b *tab) device() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{})
	b.must(err)
	_, err = chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	b.must(err)
}

func (b *tab) logOff() {
	b.t.Helper()
	b.click("button", "Account")
	b.click("button", "Log Off")
	b.sees("You have logged off.")
}

func TestBrowserAPasskeyLogsOnAloneAndAfterThePassword(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t).byName()
	b.device()
	b.logOn("alice")
	b.click("button", "Account")
	b.examine("account menu with Security")
	b.click("link", "Security")
	b.sees("Second factor", "This one", "Chrome on Linux")
	b.examine("Security")
	b.click("link", "Add passkey", "Passkeys")
	b.fill("textbox", "Name", "Work laptop")
	b.examine("Add a passkey")
	b.click("button", "Make passkey")
	b.sees("Keep these recovery codes now.")
	b.examine("recovery codes")
	b.click("link", "I have kept them")
	b.sees("Work laptop", "not used yet", "10 of 10 left")
	b.click("link", "Add passkey", "Passkeys")
	b.click("button", "Make passkey")
	b.sees("There is a passkey of yours in it already.")
	b.examine("a passkey that is there already")
	b.open("/")
	b.logOff()
	b.examine("log-on page with passkeys")

	b.click("button", "Log on with a passkey")
	b.find("button", "Account")
	b.isAt(o.at(o.a, "/models"))
	b.logOff()
	b.fill("textbox", "Account", "alice@acme")
	b.fill("textbox", "Password", password)
	b.click("button", "Log on")
	b.sees("Your password is right, alice.")
	b.examine("second factor")
	b.click("button", "Use a passkey")
	b.find("button", "Account")

	// A proof is asked for in a dialog, and what it was asked for takes its place.
	o.clock.pass(16 * time.Minute)
	b.open("/account/security")
	b.click("button", "Remove", "Work laptop")
	b.find("dialog", "Confirm that it is you")
	b.examine("a proof is asked for")
	b.click("button", "Use a passkey")
	b.find("dialog", "Remove the passkey Work laptop?")
	b.examine("removal of a passkey")
	b.click("button", "Remove it")
	b.sees("Passkey removed")
	b.seesNot("Work laptop")
	b.open("/")
	b.logOff()
	b.click("button", "Log on with a passkey")
	b.sees("This passkey is not accepted.")
	b.examine("a passkey that is not accepted")
	if n := len(o.events("factors:add-passkey")) + len(o.events("factors:remove-passkey")); n != 2 {
		t.Errorf("the trail tells of %d changes", n)
	}
}

func TestBrowserAnAppIsSetUpByTheKeyboardAndWithoutScripts(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("root")
	b.sees("a password alone protects you")
	b.examine("reminder of a second factor")
	b.click("button", "Not now")
	b.until("the reminder to go", func() bool { return b.peek("String(!document.querySelector('#reminder'))") == "true" })
	b.open("/account/security")
	b.sees("this console is reached by an IP address", "Open it by its name")
	b.examine("Security where passkeys cannot be")
	b.tabTo("link", "Set up")
	b.key(kb.Enter)
	b.find("image", "QR code with the key below")
	b.examine("authenticator app")
	seed := strings.ReplaceAll(eval[string](b, "document.querySelector('.seed code').textContent"), " ", "")
	b.tabTo("textbox", "Type the code that the app shows")
	b.key("000000" + kb.Enter)
	b.sees("This is not the code that the app shows now.")
	b.examine("authenticator app with a wrong code")
	b.key(o.code(seed) + kb.Enter)
	b.sees("Keep these recovery codes now.")
	o.clock.pass(16 * time.Minute)
	b.open("/account/settings")
	b.fill("spinbutton", "Workspace limit", "8")
	b.click("button", "Save")
	b.find("dialog", "Confirm that it is you")
	b.sees("Code of your app, or a recovery code")
	b.fill("textbox", "Your password", password)
	b.fill("textbox", "Code of your app, or a recovery code", o.code(seed))
	b.key(kb.Enter)
	b.sees("Confirmed. Now send the form again.")
	b.gone("dialog", "Confirm that it is you")
	b.click("button", "Save")
	b.sees("Settings saved")

	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.must(err)
	o.clock.pass(16 * time.Minute)
	b.open("/account/security")
	b.click("button", "Remove", "Authenticator app")
	b.find("heading", "Confirm that it is you")
	b.fillPlain("textbox", "Your password", password)
	b.fillPlain("textbox", "Code of your app, or a recovery code", o.code(seed))
	b.click("button", "Confirm")
	b.find("dialog", "Remove the authenticator app?")
	b.click("button", "Remove it")
	b.find("link", "Set up", "Authenticator app")
}

// fillPlain types into an empty field of a page without scripts.
func (b *tab) fillPlain(role, name, text string) {
	b.t.Helper()
	b.focus(b.find(role, name))
	b.key(text)
}
