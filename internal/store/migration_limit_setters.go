package store

import "gorm.io/gorm"

// nameLimitSetters keeps who set limits and when, beside what they are, and which
// limit refused a call. Limits that were set before are told of by the trail.
func nameLimitSetters(tx *gorm.DB) error { return run(tx, limitSetterStatements) }

// lastSet takes a column of the last event that did something.
func lastSet(column, where string) string {
	return `COALESCE((SELECT e.` + column + ` FROM audit_events e WHERE e.account_id = ` + where + ` ORDER BY e.seq DESC LIMIT 1), `
}

const (
	ofModelLimit      = `models.account_id AND e.action = 'limits:change' AND e.workspace_id = '' AND e.object = models.id`
	ofDeploymentLimit = `deployments.account_id AND e.action = 'deployments:limit' AND e.object = deployments.id`
	ofCalls           = `accounts.id AND e.action = 'settings:change' AND e.changes LIKE `
)

var limitSetterStatements = []string{
	`ALTER TABLE models ADD COLUMN limit_set_by TEXT NOT NULL DEFAULT ''`, // empty: nobody, it is as it began
	`ALTER TABLE models ADD COLUMN limit_set_at BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE deployments ADD COLUMN limits_set_by TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE deployments ADD COLUMN limits_set_at BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE accounts ADD COLUMN key_calls_set_by TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE accounts ADD COLUMN key_calls_set_at BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE accounts ADD COLUMN workspace_calls_set_by TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE accounts ADD COLUMN workspace_calls_set_at BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE refusals ADD COLUMN limit_kind TEXT NOT NULL DEFAULT ''`, // empty: something other than a limit refused
	`ALTER TABLE refusals ADD COLUMN limit_count BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE refusals ADD COLUMN limit_period BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE refusals ADD COLUMN limit_set_by TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE refusals ADD COLUMN limit_set_at BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE refusals ADD COLUMN limit_asked BIGINT NOT NULL DEFAULT 0`,
	`UPDATE models SET limit_set_by = ` + lastSet("actor_name", ofModelLimit) + `''), limit_set_at = ` + lastSet("at", ofModelLimit) + `0)`,
	`UPDATE deployments SET limits_set_by = ` + lastSet("actor_name", ofDeploymentLimit) + `creator), limits_set_at = ` + lastSet("at", ofDeploymentLimit) + `created)
		WHERE requests > 0 OR tokens > 0`,
	`UPDATE accounts SET key_calls_set_by = ` + lastSet("actor_name", ofCalls+`'%"key calls"%'`) + `''), key_calls_set_at = ` + lastSet("at", ofCalls+`'%"key calls"%'`) + `0),
		workspace_calls_set_by = ` + lastSet("actor_name", ofCalls+`'%"workspace calls"%'`) + `''), workspace_calls_set_at = ` + lastSet("at", ofCalls+`'%"workspace calls"%'`) + `0)`,
}
