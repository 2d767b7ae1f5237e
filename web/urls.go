package web

import (
	"net/url"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

// The addresses of the console. Every link, form and redirect is built here, so
// that a mistyped one does not compile.
const (
	homeURL            = "/"
	logOnURL           = "/logon"
	logOffURL          = "/logoff"
	setUpURL           = "/setup"
	reportURL          = "/csp"
	welcomeURL         = "/welcome"
	workspacesURL      = "/workspaces"
	newWorkspaceURL    = "/workspaces/new"
	accountKeysURL     = "/account/keys"
	usersURL           = "/account/users"
	newUserURL         = "/account/users/new"
	importUsersURL     = "/account/users/import"
	providersURL       = "/account/providers"
	newProviderURL     = "/account/providers/new"
	testNewProviderURL = "/account/providers/test"
	auditURL           = "/account/audit"
	chainURL           = "/account/audit/chain"
	settingsURL        = "/account/settings"
	managementURL      = "/account/management"
	referenceURL       = "/account/management/reference"
	adminKeysURL       = "/account/management/keys"
	newAdminKeyURL     = "/account/management/keys/new"
	documentURL        = "/openapi.json"
	adminAPIPath       = "/api/admin/v1"
	authorizationsURL  = "/account/authorizations"
	accountWhyURL      = "/account/why"
	accessURL          = "/access"
	securityURL        = "/account/security" // one's own password, second factors and sessions
	passwordURL        = "/account/security/password"
	factorURL          = "/logon/factor"
	passkeyLogOnURL    = "/logon/passkey"
	confirmURL         = "/account/security/confirm"
	appURL             = "/account/security/app"
	appRemoveURL       = "/account/security/app/remove"
	passkeysURL        = "/account/security/passkeys"
	newPasskeyURL      = "/account/security/passkeys/new"
	codesURL           = "/account/security/codes"
	endOthersURL       = "/account/security/sessions/end-others"
	putOffURL          = "/account/security/later"
)

// dutyURLs are where people do what they have to do before anything else.
var dutyURLs = map[access.Duty]string{access.ChangePassword: passwordURL, access.AddFactor: securityURL}

func passkeyRemoveURL(p ident.Passkey) string { return passkeysURL + "/" + string(p) + "/remove" }
func sessionURL(id string) string             { return securityURL + "/sessions/" + id + "/end" }

func workspaceURL(ws ident.Workspace) string        { return workspacesURL + "/" + string(ws) }
func workspaceEditURL(ws ident.Workspace) string    { return workspaceURL(ws) + "/edit" }
func workspaceDeleteURL(ws ident.Workspace) string  { return workspaceURL(ws) + "/delete" }
func workspaceDetailsURL(ws ident.Workspace) string { return workspaceURL(ws) + "/details" }
func modelsURL(ws ident.Workspace) string           { return workspaceURL(ws) + "/models" }
func keysURL(ws ident.Workspace) string             { return workspaceURL(ws) + "/keys" }

// whyURL is the explainer of one workspace or, for the empty one, of the account.
func whyURL(ws ident.Workspace) string {
	if ws == "" {
		return accountWhyURL
	}
	return workspaceURL(ws) + "/why"
}

func datasetsURL(ws ident.Workspace) string   { return workspaceURL(ws) + "/datasets" }
func newDatasetURL(ws ident.Workspace) string { return datasetsURL(ws) + "/new" }
func sampleDataURL(ws ident.Workspace) string { return datasetsURL(ws) + "/sample" }
func datasetURL(ws ident.Workspace, d ident.Dataset, act ...string) string {
	return strings.Join(append([]string{datasetsURL(ws), string(d)}, act...), "/")
}

// fileURL is the address of one version of a dataset, or of something of it.
func fileURL(ws ident.Workspace, d ident.Dataset, f ident.File, act ...string) string {
	return strings.Join(append([]string{datasetURL(ws, d, "files"), string(f)}, act...), "/")
}

func playgroundURL(ws ident.Workspace) string   { return workspaceURL(ws) + "/playground" }
func authorizeAllURL(ws ident.Workspace) string { return workspaceURL(ws) + "/authorize-all" }
func newKeyURL(ws ident.Workspace) string       { return keysURL(ws) + "/new" }
func usageURL(ws ident.Workspace) string        { return workspaceURL(ws) + "/usage" }

func workspaceAuditURL(ws ident.Workspace) string { return workspaceURL(ws) + "/audit" }

// modelURL escapes the id: it may hold slashes.
func modelURL(ws ident.Workspace, m ident.Model) string {
	return modelsURL(ws) + "/" + url.PathEscape(string(m))
}

func authorizeURL(ws ident.Workspace, m ident.Model, c catalogue.Capability) string {
	return modelURL(ws, m) + "/authorize/" + c.String()
}

// keyURL is the address of one act on a key. Asked from the keys of the whole
// account, it leads back there.
func keyURL(ws ident.Workspace, key ident.Key, act string, fromAccount bool) string {
	address := keysURL(ws) + "/" + string(key) + "/" + act
	if fromAccount {
		address += "?from=account"
	}
	return address
}

// userURL is the address of a RAM user's panel, or of one act on them.
func userURL(u ident.User, act ...string) string {
	return strings.Join(append([]string{usersURL, string(u)}, act...), "/")
}

func membersURL(ws ident.Workspace) string   { return workspaceURL(ws) + "/members" }
func newMemberURL(ws ident.Workspace) string { return membersURL(ws) + "/new" }

// memberURL is the address of a member's panel, or of one act on them.
func memberURL(ws ident.Workspace, u ident.User, act ...string) string {
	return strings.Join(append([]string{membersURL(ws), string(u)}, act...), "/")
}

// adminKeyURL is the address of one act on an admin key.
func adminKeyURL(k ident.AdminKey, act string) string {
	return adminKeysURL + "/" + string(k) + "/" + act
}

func providerURL(p ident.Provider, act string) string {
	return providersURL + "/" + string(p) + "/" + act
}

func offerURL(id, act string) string {
	return providersURL + "/offers/" + url.PathEscape(id) + "/" + act
}

// logOnFor leads back to a place after the log-on.
func logOnFor(next string) string {
	if next == "" || next == homeURL {
		return logOnURL
	}
	return logOnURL + "?next=" + url.QueryEscape(next)
}

// withQuery adds to an address what is not empty.
func withQuery(address string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Add(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return address
	}
	return address + "?" + q.Encode()
}
