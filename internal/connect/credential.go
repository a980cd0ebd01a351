package connect

import "github.com/patchbay-dev/patchbay/internal/secret"

// Credential is what execution receives: ready to be put on a request to the provider, fresh at the time it is given.
type Credential struct {
	AccountID string
	Scheme    string
	Header    map[string]secret.Value // header name -> whole value, for example Authorization -> "Bearer …"
	Query     map[string]secret.Value
	Fields    map[string]string // connection fields that URLs may use (subdomain, region); never a token or key
}
