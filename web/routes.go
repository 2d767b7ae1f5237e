// Package web is the console: browser in, page out. Its routes are one table,
// read from top to bottom like the console's menu; each line names the action
// that is asked for before the handler runs. What is fresh wants a proof of who
// asks that is not older than a quarter of an hour.
package web

import (
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
)

// route is one line of the table.
type route struct {
	method string
	path   string
	action access.Action
	handle echo.HandlerFunc
}

// routes lists everything the console answers to.
func (s *Server) routes() []route {
	return []route{
		// coming in and going out
		{"GET", "/logon", access.Open, s.showLogOn},
		{"POST", "/logon", access.Open, s.logOn},
		{"GET", "/logon/factor", access.Open, s.showFactor},
		{"POST", "/logon/factor", access.Open, s.logOnByCode},
		{"POST", "/logon/passkey", access.Open, s.logOnByPasskey},
		{"POST", "/logoff", access.Open, s.logOff},
		{"GET", "/setup", access.Open, s.showSetUp},
		{"POST", "/setup", access.Open, s.setUp},
		{"GET", "/welcome", access.Open, s.showWelcome},
		{"POST", "/welcome", access.Open, s.acceptWelcome},
		{"GET", "/", access.Enter, s.home},

		// Workspace Management
		{"GET", "/workspaces", access.ListWorkspaces, s.listWorkspaces},
		{"POST", "/workspaces", access.AddWorkspace, s.addWorkspace},
		{"GET", "/workspaces/new", access.AddWorkspace, s.newWorkspace},
		{"GET", "/workspaces/:workspace", access.EnterWorkspace, s.enterWorkspace},
		{"GET", "/workspaces/:workspace/edit", access.RenameWorkspace, s.editWorkspace},
		{"POST", "/workspaces/:workspace/edit", access.RenameWorkspace, s.renameWorkspace},
		{"GET", "/workspaces/:workspace/delete", access.DeleteWorkspace, s.fresh(s.confirmDeleteWorkspace)},
		{"POST", "/workspaces/:workspace/delete", access.DeleteWorkspace, s.fresh(s.deleteWorkspace)},
		{"GET", "/workspaces/:workspace/details", access.EnterWorkspace, s.showWorkspace},

		// Models, and who may use them
		{"GET", "/workspaces/:workspace/models", access.ReadModels, s.listModels},
		{"GET", "/workspaces/:workspace/models/:model", access.ReadModels, s.showModel},
		{"GET", "/workspaces/:workspace/models/:model/prices", access.ChangePrices, s.showPrices},
		{"POST", "/workspaces/:workspace/models/:model/prices", access.ChangePrices, s.changePrices},
		{"GET", "/workspaces/:workspace/models/:model/authorize/:capability", access.ChangeGrants, s.showGrants},
		{"POST", "/workspaces/:workspace/models/:model/authorize/:capability", access.ChangeGrants, s.changeGrants},

		// Playground
		{"GET", "/workspaces/:workspace/playground", access.UsePlayground, s.showPlayground},
		{"POST", "/workspaces/:workspace/playground", access.UsePlayground, s.sayPlayground},
		{"POST", "/workspaces/:workspace/playground/stream", access.UsePlayground, s.streamPlayground},
		{"POST", "/workspaces/:workspace/playground/code", access.UsePlayground, s.codePlayground},
		{"GET", "/workspaces/:workspace/playground/cost", access.UsePlayground, s.costPlayground},

		// Datasets
		{"GET", "/workspaces/:workspace/datasets", access.ReadDatasets, s.listDatasets},
		{"POST", "/workspaces/:workspace/datasets", access.ChangeDatasets, s.uploadDataset},
		{"GET", "/workspaces/:workspace/datasets/new", access.ChangeDatasets, s.newDataset},
		{"GET", "/workspaces/:workspace/datasets/sample", access.ReadDatasets, s.downloadSample},
		{"POST", "/workspaces/:workspace/datasets/sample", access.ChangeDatasets, s.useSample},
		{"GET", "/workspaces/:workspace/datasets/:dataset", access.ReadDatasets, s.showDataset},
		{"POST", "/workspaces/:workspace/datasets/:dataset", access.ChangeDatasets, s.uploadVersion},
		{"GET", "/workspaces/:workspace/datasets/:dataset/new", access.ChangeDatasets, s.newVersion},
		{"GET", "/workspaces/:workspace/datasets/:dataset/rename", access.ChangeDatasets, s.askRenameDataset},
		{"POST", "/workspaces/:workspace/datasets/:dataset/rename", access.ChangeDatasets, s.renameDataset},
		{"GET", "/workspaces/:workspace/datasets/:dataset/delete", access.ChangeDatasets, s.confirmDeleteDataset},
		{"POST", "/workspaces/:workspace/datasets/:dataset/delete", access.ChangeDatasets, s.deleteDataset},
		{"GET", "/workspaces/:workspace/datasets/:dataset/files/:file", access.ReadDatasets, s.showDataset},
		{"GET", "/workspaces/:workspace/datasets/:dataset/files/:file/content", access.ReadDatasets, s.downloadFile},
		{"GET", "/workspaces/:workspace/datasets/:dataset/files/:file/report.csv", access.ReadDatasets, s.downloadReport},
		{"GET", "/workspaces/:workspace/datasets/:dataset/files/:file/delete", access.ChangeDatasets, s.confirmDeleteDataset},
		{"POST", "/workspaces/:workspace/datasets/:dataset/files/:file/delete", access.ChangeDatasets, s.deleteFile},

		// Training
		{"GET", "/workspaces/:workspace/trainings", access.ReadTrainings, s.listTrainings},
		{"POST", "/workspaces/:workspace/trainings", access.ChangeTrainings, s.createTraining},
		{"GET", "/workspaces/:workspace/trainings/new", access.ChangeTrainings, s.newTraining},
		{"POST", "/workspaces/:workspace/trainings/new/estimate", access.ChangeTrainings, s.estimateTraining},
		{"GET", "/workspaces/:workspace/trainings/:training", access.ReadTrainings, s.showTraining},
		{"GET", "/workspaces/:workspace/trainings/:training/log", access.ReadTrainings, s.showTrainingLog},
		{"GET", "/workspaces/:workspace/trainings/:training/cancel", access.ChangeTrainings, s.confirmCancelTraining},
		{"POST", "/workspaces/:workspace/trainings/:training/cancel", access.ChangeTrainings, s.cancelTraining},
		{"GET", "/workspaces/:workspace/trainings/:training/delete", access.ChangeTrainings, s.confirmDeleteTraining},
		{"POST", "/workspaces/:workspace/trainings/:training/delete", access.ChangeTrainings, s.deleteTraining},
		{"POST", "/workspaces/:workspace/trainings/:training/checkpoints/:checkpoint/publish", access.ChangeTrainings, s.publishCheckpoint},

		// My Models
		{"GET", "/workspaces/:workspace/my-models", access.ReadTrainings, s.listOwnModels},
		{"GET", "/workspaces/:workspace/my-models/:tuned", access.ReadTrainings, s.showOwnModel},
		{"GET", "/workspaces/:workspace/my-models/:tuned/files/:artifact", access.ReadTrainings, s.downloadOwnModel},
		{"GET", "/workspaces/:workspace/my-models/:tuned/rename", access.ChangeTrainings, s.renameOwnModel},
		{"POST", "/workspaces/:workspace/my-models/:tuned/rename", access.ChangeTrainings, s.changeOwnModel},
		{"GET", "/workspaces/:workspace/my-models/:tuned/delete", access.ChangeTrainings, s.confirmDeleteOwnModel},
		{"POST", "/workspaces/:workspace/my-models/:tuned/delete", access.ChangeTrainings, s.deleteOwnModel},

		// Deployments
		{"GET", "/workspaces/:workspace/deployments", access.ReadDeployments, s.listDeployments},
		{"POST", "/workspaces/:workspace/deployments", access.ChangeDeployments, s.createDeployment},
		{"GET", "/workspaces/:workspace/deployments/new", access.ChangeDeployments, s.newDeployment},
		{"GET", "/workspaces/:workspace/deployments/:deployment", access.ReadDeployments, s.showDeployment},
		{"POST", "/workspaces/:workspace/deployments/:deployment/start", access.ChangeDeployments, s.startDeployment},
		{"GET", "/workspaces/:workspace/deployments/:deployment/stop", access.ChangeDeployments, s.confirmStopDeployment},
		{"POST", "/workspaces/:workspace/deployments/:deployment/stop", access.ChangeDeployments, s.stopDeployment},
		{"GET", "/workspaces/:workspace/deployments/:deployment/scale", access.ChangeDeployments, s.askScale},
		{"POST", "/workspaces/:workspace/deployments/:deployment/scale", access.ChangeDeployments, s.scaleDeployment},
		{"GET", "/workspaces/:workspace/deployments/:deployment/limits", access.ChangeDeployments, s.askLimits},
		{"POST", "/workspaces/:workspace/deployments/:deployment/limits", access.ChangeDeployments, s.limitDeployment},
		{"GET", "/workspaces/:workspace/deployments/:deployment/delete", access.ChangeDeployments, s.confirmDeleteDeployment},
		{"POST", "/workspaces/:workspace/deployments/:deployment/delete", access.ChangeDeployments, s.deleteDeployment},

		// API Keys
		{"GET", "/workspaces/:workspace/keys", access.ReadKeys, s.listKeys},
		{"POST", "/workspaces/:workspace/keys", access.IssueKeys, s.issueKey},
		{"GET", "/workspaces/:workspace/keys/new", access.IssueKeys, s.newKey},
		{"GET", "/workspaces/:workspace/keys/:key", access.ReadKeys, s.showKey},
		{"GET", "/workspaces/:workspace/keys/:key/edit", access.ChangeKeys, s.editKey},
		{"POST", "/workspaces/:workspace/keys/:key/edit", access.ChangeKeys, s.changeKey},
		{"GET", "/workspaces/:workspace/keys/:key/reset", access.ChangeKeys, s.confirmResetKey},
		{"POST", "/workspaces/:workspace/keys/:key/reset", access.ChangeKeys, s.resetKey},
		{"GET", "/workspaces/:workspace/keys/:key/disable", access.ChangeKeys, s.confirmDisableKey},
		{"POST", "/workspaces/:workspace/keys/:key/disable", access.ChangeKeys, s.disableKey},
		{"POST", "/workspaces/:workspace/keys/:key/enable", access.ChangeKeys, s.enableKey},
		{"GET", "/workspaces/:workspace/keys/:key/delete", access.ChangeKeys, s.confirmDeleteKey},
		{"POST", "/workspaces/:workspace/keys/:key/delete", access.ChangeKeys, s.deleteKey},

		// Members
		{"GET", "/workspaces/:workspace/members", access.ReadMembers, s.listMembers},
		{"POST", "/workspaces/:workspace/members", access.ChangeMembers, s.addMembers},
		{"GET", "/workspaces/:workspace/members/new", access.ChangeMembers, s.newMember},
		{"GET", "/workspaces/:workspace/members/:user", access.ReadMembers, s.showMember},
		{"GET", "/workspaces/:workspace/members/:user/edit", access.ChangeMembers, s.editMember},
		{"POST", "/workspaces/:workspace/members/:user/edit", access.ChangeMembers, s.changeMember},
		{"GET", "/workspaces/:workspace/members/:user/remove", access.ChangeMembers, s.confirmRemoveMember},
		{"POST", "/workspaces/:workspace/members/:user/remove", access.ChangeMembers, s.removeMember},

		// Usage
		{"GET", "/workspaces/:workspace/usage", access.ReadUsage, s.showUsage},
		{"GET", "/workspaces/:workspace/usage/sums.csv", access.ReadUsage, s.exportSums},
		{"GET", "/workspaces/:workspace/usage/calls.csv", access.ReadUsage, s.exportCalls},
		{"GET", "/workspaces/:workspace/usage/calls/:call", access.ReadUsage, s.showCall},

		// Why?
		{"GET", "/workspaces/:workspace/why", access.ReadKeys, s.showWhy},
		{"POST", "/workspaces/:workspace/why", access.ReadKeys, s.askWhy},
		{"GET", "/account/why", access.ReadGrants, s.showWhy},
		{"POST", "/account/why", access.ReadGrants, s.askWhy},
		{"GET", "/why", access.Enter, s.findWhy},
		{"GET", "/access", access.Enter, s.showAccess},

		// Limits
		{"GET", "/workspaces/:workspace/limits", access.ReadLimits, s.listLimits},
		{"GET", "/workspaces/:workspace/limits/:model/edit", access.ChangeLimits, s.editLimit},
		{"POST", "/workspaces/:workspace/limits/:model/edit", access.ChangeLimits, s.changeLimit},

		// Audit
		{"GET", "/workspaces/:workspace/audit", access.ReadTrail, s.listAudit},
		{"GET", "/workspaces/:workspace/audit/export", access.ReadTrail, s.exportAudit},
		{"GET", "/workspaces/:workspace/audit/:event", access.ReadTrail, s.showEvent},
		{"GET", "/account/audit", access.ReadAudit, s.listAudit},
		{"GET", "/account/audit/chain", access.ReadAudit, s.showChain},
		{"POST", "/account/audit/chain", access.VerifyAudit, s.verifyAudit},
		{"GET", "/account/audit/export", access.ReadAudit, s.exportAudit},
		{"GET", "/account/audit/:event", access.ReadAudit, s.showEvent},

		// the account as a whole
		{"GET", "/account/limits", access.ChangeLimits, s.listAccountLimits},
		{"GET", "/account/limits/edit", access.ChangeLimits, s.editLimit},
		{"POST", "/account/limits/edit", access.ChangeLimits, s.changeLimit},
		{"GET", "/account/keys", access.Enter, s.listAllKeys},
		{"GET", "/account/authorizations", access.ReadGrants, s.listAuthorizations},
		{"GET", "/workspaces/:workspace/authorize-all", access.ChangeGrants, s.confirmAuthorizeAll},
		{"POST", "/workspaces/:workspace/authorize-all", access.ChangeGrants, s.authorizeAll},
		{"GET", "/account/users", access.ReadUsers, s.listUsers},
		{"POST", "/account/users", access.ChangeUsers, s.createUser},
		{"GET", "/account/users/new", access.ChangeUsers, s.newUser},
		{"GET", "/account/users/import", access.ChangeUsers, s.showImportUsers},
		{"POST", "/account/users/import", access.ChangeUsers, s.importUsers},
		{"GET", "/account/users/:user", access.ReadUsers, s.showUser},
		{"GET", "/account/users/:user/edit", access.ChangeUsers, s.editUser},
		{"POST", "/account/users/:user/edit", access.ChangeUsers, s.changeUser},
		{"GET", "/account/users/:user/reset", access.ChangeUsers, s.fresh(s.confirmResetUser)},
		{"POST", "/account/users/:user/reset", access.ChangeUsers, s.fresh(s.resetUser)},
		{"POST", "/account/users/:user/end-sessions", access.ChangeUsers, s.endUserSessions},
		{"GET", "/account/users/:user/promote", access.ChangeUsers, s.fresh(s.confirmPromoteUser)},
		{"POST", "/account/users/:user/promote", access.ChangeUsers, s.fresh(s.promoteUser)},
		{"GET", "/account/users/:user/demote", access.ChangeUsers, s.fresh(s.confirmDemoteUser)},
		{"POST", "/account/users/:user/demote", access.ChangeUsers, s.fresh(s.demoteUser)},
		{"GET", "/account/users/:user/disable", access.ChangeUsers, s.confirmDisableUser},
		{"POST", "/account/users/:user/disable", access.ChangeUsers, s.disableUser},
		{"POST", "/account/users/:user/enable", access.ChangeUsers, s.enableUser},
		{"GET", "/account/users/:user/delete", access.ChangeUsers, s.fresh(s.confirmDeleteUser)},
		{"POST", "/account/users/:user/delete", access.ChangeUsers, s.fresh(s.deleteUser)},
		{"GET", "/account/providers", access.ReadProviders, s.listProviders},
		{"POST", "/account/providers", access.ChangeProviders, s.addProvider},
		{"GET", "/account/providers/new", access.ChangeProviders, s.newProvider},
		{"POST", "/account/providers/test", access.ChangeProviders, s.tryNewProvider},
		{"POST", "/account/providers/offers/:offer/accept", access.ChangeProviders, s.acceptOffer},
		{"POST", "/account/providers/offers/:offer/dismiss", access.ChangeProviders, s.dismissOffer},
		{"GET", "/account/providers/:provider/edit", access.ChangeProviders, s.editProvider},
		{"POST", "/account/providers/:provider/edit", access.ChangeProviders, s.changeProvider},
		{"POST", "/account/providers/:provider/try", access.ChangeProviders, s.tryProvider},
		{"POST", "/account/providers/:provider/test", access.ChangeProviders, s.testProvider},
		{"GET", "/account/providers/:provider/served", access.ChangeProviders, s.showServed},
		{"POST", "/account/providers/:provider/served", access.ChangeProviders, s.changeServed},
		{"GET", "/account/providers/:provider/import", access.ChangeProviders, s.showImport},
		{"POST", "/account/providers/:provider/import", access.ChangeProviders, s.importModels},
		{"GET", "/account/providers/:provider/delete", access.ChangeProviders, s.confirmDeleteProvider},
		{"POST", "/account/providers/:provider/delete", access.ChangeProviders, s.deleteProvider},
		{"GET", "/account/management", access.ReadAdminKeys, s.showManagement},
		{"GET", "/account/management/reference", access.ReadAdminKeys, s.showReference},
		{"POST", "/account/management/keys", access.ChangeAdminKeys, s.fresh(s.issueAdminKey)},
		{"GET", "/account/management/keys/new", access.ChangeAdminKeys, s.fresh(s.newAdminKey)},
		{"GET", "/account/management/keys/:adminkey/revoke", access.ChangeAdminKeys, s.confirmRevokeAdminKey},
		{"POST", "/account/management/keys/:adminkey/revoke", access.ChangeAdminKeys, s.revokeAdminKey},
		{"GET", "/account/usage", access.ReadAllUsage, s.showUsage},
		{"GET", "/account/usage/sums.csv", access.ReadAllUsage, s.exportSums},
		{"GET", "/account/usage/calls.csv", access.ReadAllUsage, s.exportCalls},
		{"GET", "/account/usage/calls/:call", access.ReadAllUsage, s.showCall},
		{"GET", "/account/settings", access.ReadSettings, s.showSettings},
		{"POST", "/account/settings", access.ChangeSettings, s.fresh(s.changeSettings)},

		// one's own
		{"GET", "/account/security", access.Self, s.showSecurity},
		{"GET", "/account/security/confirm", access.Self, s.showConfirm},
		{"POST", "/account/security/confirm", access.Self, s.confirm},
		{"GET", "/account/security/app", access.Self, s.fresh(s.newApp)},
		{"POST", "/account/security/app", access.Self, s.fresh(s.addApp)},
		{"GET", "/account/security/app/remove", access.Self, s.fresh(s.confirmRemoveApp)},
		{"POST", "/account/security/app/remove", access.Self, s.fresh(s.removeApp)},
		{"POST", "/account/security/passkeys", access.Self, s.fresh(s.addPasskey)},
		{"GET", "/account/security/passkeys/new", access.Self, s.fresh(s.newPasskey)},
		{"GET", "/account/security/passkeys/:passkey/remove", access.Self, s.fresh(s.confirmRemovePasskey)},
		{"POST", "/account/security/passkeys/:passkey/remove", access.Self, s.fresh(s.removePasskey)},
		{"GET", "/account/security/codes", access.Self, s.fresh(s.askCodes)},
		{"POST", "/account/security/codes", access.Self, s.fresh(s.makeCodes)},
		{"POST", "/account/security/sessions/:session/end", access.Self, s.endSessionOfMine},
		{"POST", "/account/security/sessions/end-others", access.Self, s.endOtherSessions},
		{"POST", "/account/security/later", access.Self, s.putOff},
		{"GET", "/account/security/password", access.Self, s.showPassword},
		{"POST", "/account/security/password", access.Self, s.changePassword},

		// what browsers send and load by themselves
		{"POST", "/csp", access.Open, s.reportViolation},
		{"GET", "/static/*", access.Open, s.serveStatic},
	}
}
