package dialect

import (
	"net/http"
	"strings"

	"bailiwick/internal/fault"
)

// Managing reports whether a service reads and changes what workspaces may do.
func (s Service) Managing() bool { return s == Permissions || s == Limits || s == Quotas }

// Refusals of what changes rights and limits.
var (
	Unsupported = alike(http.StatusBadRequest, "UnsupportedOperation", invalid, "The operation is unsupported on the referee object. The Default Workspace may do everything; its rights cannot be changed.")
	conflict    = alike(http.StatusConflict, "Conflict", invalid, "Somebody else changed this meanwhile. Look at what it is now, then try again.")
	busy        = alike(http.StatusServiceUnavailable, "ServiceUnavailable", "service_unavailable", "This cannot be changed at present. Please try again later.")
)

// FromFault words what a service refused.
func FromFault(err error) Refusal {
	switch fault.KindOf(err) {
	case fault.Invalid:
		text := fault.Show(err)
		if strings.HasPrefix(text, "Cannot set TPM") {
			text = strings.TrimSuffix(text, ".") // the original's words end without one
		}
		return *BadParameters.WithMessage("%s", text)
	case fault.Missing:
		return OddModel
	case fault.Forbidden, fault.Unauthenticated:
		return Denied
	case fault.Conflict:
		return conflict
	case fault.Busy, fault.Unavailable:
		r := busy
		r.Retry = "1"
		return r
	}
	return Internal
}
