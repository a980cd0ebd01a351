package execute

import (
	"fmt"
	"slices"
	"strings"
)

// missingScopes gives the scopes that the tool needs and the account's grant does not hold, as far as is known: of a choice all
// its scopes, as "a or b". It explains refusals and never causes one: a wide scope may include what the tool names, and not every
// provider says what it granted.
func (x *execution) missingScopes() (missing []string) {
	if x.tool == nil || x.account.ID == "" || len(x.account.Scopes) == 0 {
		return nil
	}
	granted := func(scope string) bool { return slices.Contains(x.account.Scopes, scope) }
	for _, scope := range x.tool.Scopes.All {
		if !granted(scope) {
			missing = append(missing, scope)
		}
	}
	for _, choice := range x.tool.Scopes.Any {
		if len(choice) > 0 && !slices.ContainsFunc(choice, granted) {
			missing = append(missing, strings.Join(choice, " or "))
		}
	}
	return missing
}

// forbiddenAdvice says what to do about a refusal of an account that works: which scopes it lacks and how it gets them, where
// that is the reason.
func (x *execution) forbiddenAdvice() string {
	missing := x.missingScopes()
	switch {
	case len(missing) > 0:
		text := fmt.Sprintf("The account was connected without %s, which %s needs. ", strings.Join(missing, " and "), x.tool.Slug)
		text += fmt.Sprintf("Add what is missing to the scopes of auth config %s, or name %s in its tools_for_connected_account_creation; ", x.account.AuthConfigID, x.tool.Slug)
		if x.sel.ForSession {
			return text + fmt.Sprintf("then have the user connect again (COMPOSIO_MANAGE_CONNECTIONS with toolkits [%q] and reinitiate_all true).", x.toolkit.Slug)
		}
		return text + "then have the user connect again under the same id (a link for this auth config)."
	case x.tool != nil && len(x.tool.Scopes.All) > 0:
		return "The account may not do this. The call needs the scopes " + join(x.tool.Scopes.All, ", ") + ": connect the account again and grant them."
	default:
		return "The account may not do this. Have its rights extended at the service, or use another account."
	}
}
