package api

import (
	"slices"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// accountState is the state of an account as a union by scheme and status, which SDKs match strictly (API contract section
// 10.1). Secrets in it are masked: a masked text still satisfies the types.
type accountState struct {
	Scheme string            `json:"authScheme"`
	Val    map[string]string `json:"val"`
}

// requiredWhenUsable names the members that the union requires of an account that was connected. What an account does not
// hold under the contract's name is given masked.
var requiredWhenUsable = map[string][]string{
	"OAUTH2":                 {"access_token"},
	"DCR_OAUTH":              {"client_id", "access_token"},
	"S2S_OAUTH2":             {"access_token"},
	"OAUTH1":                 {"oauth_token", "oauth_token_secret"},
	"BEARER_TOKEN":           {"token"},
	"BASIC":                  {"username"},
	"BASIC_WITH_JWT":         {"username", "password"},
	"GOOGLE_SERVICE_ACCOUNT": {"credentials_json"},
	"SERVICE_ACCOUNT":        {"application_id", "installation_id", "private_key"},
	"BILLCOM_AUTH":           {"sessionId", "devKey"},
}

// requiredWhenInitiated does the same for an account whose user is at the provider. The link is not repeated here: it works
// once and belongs to whoever asked for it.
var requiredWhenInitiated = map[string][]string{
	"OAUTH2":                 {"redirectUrl"},
	"DCR_OAUTH":              {"client_id", "redirectUrl"},
	"OAUTH1":                 {"oauth_token", "authUri", "oauth_token_secret", "redirectUrl"},
	"GOOGLE_SERVICE_ACCOUNT": {"redirectUrl"},
	"BILLCOM_AUTH":           {"redirectUrl"},
}

// endingSchemes are those whose union knows FAILED and EXPIRED; OAUTH2 alone knows REVOKED too.
var endingSchemes = []string{"OAUTH2", "OAUTH1", "DCR_OAUTH", "S2S_OAUTH2", "BASIC_WITH_JWT", "BILLCOM_AUTH", "NO_AUTH", "CALCOM_AUTH", "SAML"}

func stateOf(account connect.ConnectedAccount, public map[string]string) accountState {
	if account.Scheme == connect.CIMDOAuth {
		account.Scheme = connect.DCROAuth // the same members; older SDKs do not know the other name, and refuse a whole list for it
	}
	status := stateStatus(account)
	val := map[string]string{"status": string(status)}
	switch status {
	case connect.Active, connect.Inactive:
		for name, text := range public {
			val[name] = text
		}
		require(val, requiredWhenUsable[account.Scheme], connect.Redacted)
	case connect.Initiated:
		require(val, requiredWhenInitiated[account.Scheme], "")
	case connect.Failed:
		val["error_description"] = account.StatusReason
	}
	if account.Scheme == "BASIC_WITH_JWT" && (status == connect.Failed || status == connect.Expired) {
		require(val, requiredWhenUsable[account.Scheme], connect.Redacted)
	}
	val["status"] = string(status)
	return accountState{Scheme: account.Scheme, Val: val}
}

// stateStatus is the account's status where the union of its scheme has it. An expired API key, say, has no state of its own;
// INACTIVE comes nearest, and the account's own status says the rest.
func stateStatus(account connect.ConnectedAccount) connect.Status {
	switch account.Status {
	case connect.Revoked:
		if account.Scheme != "OAUTH2" {
			return connect.Inactive
		}
	case connect.Failed, connect.Expired:
		if !slices.Contains(endingSchemes, account.Scheme) {
			return connect.Inactive
		}
	}
	return account.Status
}

func require(val map[string]string, names []string, text string) {
	for _, name := range names {
		if val[name] == "" {
			val[name] = text
		}
	}
}
