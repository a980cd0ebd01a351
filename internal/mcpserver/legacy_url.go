package mcpserver

import (
	"net/http"
	"strconv"

	"github.com/patchbay-dev/patchbay/internal/legacy"
)

// visitorOf reads whom the URL of a server of the older API names (API contract section 14).
func visitorOf(r *http.Request) legacy.Visitor {
	query := r.URL.Query()
	helpers, _ := strconv.ParseBool(query.Get("include_composio_helper_actions"))
	return legacy.Visitor{UserID: query.Get("user_id"), AccountID: query.Get("connected_account_id"), Helpers: helpers}
}
