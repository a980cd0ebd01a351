package connect

import (
	"context"
	"strconv"
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// issuedValues are the values of an account that were issued to it, and go when what they were issued for is replaced.
var issuedValues = []string{"access_token", "token_type", "expires_in", "expires_at", "scope"}

// canIssue tells whether a scheme gets its tokens for what the account holds, and whether it holds that.
func canIssue(scheme Scheme, g Grant) bool {
	i, ok := scheme.(issuing)
	return ok && i.CanRefresh(g)
}

// issue gets an account's first tokens where they are had without its user; of other schemes it gives none. Failures are
// *providerError.
func issue(ctx context.Context, scheme Scheme, g Grant) (Tokens, error) {
	i, ok := scheme.(issuing)
	if !ok {
		return Tokens{}, nil
	}
	return i.Refresh(ctx, g)
}

// ofConfig are the auth config's own values that an account need not give: where a token is issued for them, either may hold them.
func ofConfig(scheme Scheme, g Grant) Fields {
	if _, ok := scheme.(issuing); ok {
		return g.Client
	}
	return nil
}

// ending says when an issued token ends: after a life that the provider told, or at a time that it told. A time that is over
// already is a clock that is wrong, theirs or ours: then nobody said.
func ending(t *Tokens, asked time.Time) {
	t.Expiry = importedExpiry(t.Values, asked)
	if !t.Expiry.After(asked) {
		t.Expiry = time.Time{}
		return
	}
	t.Values["expires_in"] = secret.Hide(strconv.FormatInt(int64(t.Expiry.Sub(asked)/time.Second), 10))
}
