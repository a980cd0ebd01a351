package connect

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// NewAccount is what ImportAccount needs: credentials the application already holds.
type NewAccount struct {
	AuthConfigID, UserID, Alias string
	Scheme                      string // empty: the auth config's; BEARER_TOKEN goes with every OAUTH2 auth config
	Values                      map[string]string
	AccountType                 string
	ACL                         *ACL
}

// ImportAccount makes an ACTIVE account from given credentials (POST /connected_accounts with an ACTIVE state). A credential
// that the provider refuses is a fault.
func (s *Service) ImportAccount(ctx context.Context, c tenant.Caller, n NewAccount) (ConnectedAccount, error) {
	cfg, err := s.config(ctx, c.ProjectID, n.AuthConfigID)
	if err != nil {
		return ConnectedAccount{}, err
	}
	if err := usableConfig(cfg, false); err != nil {
		return ConnectedAccount{}, err
	}
	a, err := s.newAccount(cfg, n.UserID, n.Alias, n.AccountType, n.ACL)
	if err != nil {
		return ConnectedAccount{}, err
	}
	a.Scheme = cfg.Scheme
	if n.Scheme != "" && n.Scheme != cfg.Scheme {
		if n.Scheme != BearerToken || cfg.Scheme != OAuth2 && cfg.Scheme != S2SOAuth2 {
			return ConnectedAccount{}, fault.New(fault.Invalid, fault.SlugAccountInvalid, "Auth config %s is for %s, not for %s.", cfg.ID, cfg.Scheme, n.Scheme).
				WithFix("Give a state with authScheme %s, or use an auth config of scheme %s.", cfg.Scheme, n.Scheme)
		}
		a.Scheme = BearerToken
	}
	g, scheme, err := s.grant(c, cfg, a.Scheme, nil)
	if err != nil {
		return ConnectedAccount{}, err
	}
	values, err := checkImported(g, scheme, n.Values)
	if err != nil {
		return ConnectedAccount{}, err
	}
	now := s.now().UTC()
	g.Values = over(g.Values, values)
	t, who, err := s.tryImported(ctx, g, scheme, a, values, now)
	if err != nil {
		return ConnectedAccount{}, rejectedCredential(g, err)
	}
	values = over(values, t.Values)
	s.activate(&a, g, values, t, who, now)
	if scope := values["scope"].Reveal(); scope != "" && t.Scopes == nil {
		a.Scopes = splitScopes(scope)
	}
	a.StatusReason = s.sameElsewhere(ctx, a, who)
	return s.storeAccount(ctx, a)
}

// tryImported shows that given credentials work, and gives what they came to: tokens that were had with them, and whose account it
// is. A token that has ended, or that the provider refuses, is replaced by means of the refresh token that came with it.
func (s *Service) tryImported(ctx context.Context, g Grant, scheme Scheme, a ConnectedAccount, values Fields, now time.Time) (t Tokens, who Identity, err error) {
	t.Expiry = importedExpiry(values, now)
	r, ok := scheme.(refreshing)
	_, issues := scheme.(issuing)
	renewable := ok && !issues && r.CanRefresh(g)
	ended := !t.Expiry.IsZero() && !t.Expiry.After(now)
	switch {
	case canIssue(scheme, g):
		t, err = issue(ctx, scheme, g)
	case renewable && (ended || values["access_token"].Empty()):
		renewable = false
		t, err = r.Refresh(ctx, g)
	case ended:
		err = errRejected
	}
	if err != nil {
		return t, who, err
	}
	who, err = s.identify(ctx, g, scheme, a, over(values, t.Values), t.Who)
	if !renewable || !errors.Is(err, errRejected) {
		return t, who, err
	}
	if t, err = r.Refresh(ctx, g); err != nil {
		return t, who, err
	}
	who, err = s.identify(ctx, g, scheme, a, over(values, t.Values), t.Who)
	return t, who, err
}

// checkImported checks what the application gave for an account against the fields of the scheme.
func checkImported(g Grant, scheme Scheme, given map[string]string) (Fields, error) {
	kept := make(map[string]string, len(given))
	for name, v := range given {
		if v != Redacted && name != "status" { // "status" is part of the SDKs' state object, not a field
			kept[name] = v
		}
	}
	_, issues := scheme.(issuing)
	brought := kept["access_token"]
	if issues {
		delete(kept, "access_token") // it is not the proof for which tokens are issued, under another name
	}
	needed := slices.DeleteFunc(slices.Clone(g.Declared.AccountFields), func(f catalog.Field) bool {
		return !over(ofConfig(scheme, g), g.Values)[f.Name].Empty() && strings.TrimSpace(kept[f.Name]) == "" // the auth config gives it
	})
	values, faults := checkFields(needed, kept)
	if _, signs := scheme.(signing); signs {
		for _, name := range []string{"oauth_token", "oauth_token_secret"} {
			if values[name].Empty() {
				faults[name] = "The token and its secret are required."
			}
		}
	} else if _, redirects := scheme.(redirecting); redirects && values["access_token"].Empty() && values["refresh_token"].Empty() {
		faults["access_token"] = "An access token or a refresh token is required."
	}
	if issues && brought != "" {
		values["access_token"] = secret.Hide(brought)
		for _, f := range needed { // a token needs nothing else until it ends
			if values[f.Name].Empty() {
				delete(faults, f.Name)
			}
		}
	}
	if len(faults) > 0 {
		return nil, fault.New(fault.Invalid, fault.SlugAccountInvalid, "The credentials for %s are not complete.", g.Toolkit.Name).
			WithFix("Mend these fields: %s.", fieldNames(faults)).WithDetails(lines(faults)...)
	}
	return values, nil
}

// importedExpiry reads when a given token ends: expires_in in seconds, or expires_at as Unix seconds or RFC 3339.
func importedExpiry(values Fields, now time.Time) time.Time {
	if seconds, err := strconv.ParseFloat(values["expires_in"].Reveal(), 64); err == nil && seconds > 0 {
		return endAfter(now, seconds)
	}
	at := values["expires_at"].Reveal()
	end, err := time.Parse(time.RFC3339, at)
	if seconds, notNumber := strconv.ParseInt(at, 10, 64); notNumber == nil && seconds > 0 {
		end, err = time.Unix(seconds, 0), nil
	}
	if err != nil || at == "" || end.Sub(now) > longestLife {
		return time.Time{}
	}
	if left := end.Sub(now); left > 0 {
		values["expires_in"] = secret.Hide(strconv.FormatInt(int64(left/time.Second), 10))
	}
	return end.UTC()
}

// longestLife is the longest that a token is taken to live. What is told to live longer (some providers tell centuries, or
// milliseconds) does not end: times so far off cannot be computed with.
const longestLife = 100 * 365 * 24 * time.Hour

// endAfter gives the end of a life told in seconds; zero when it does not end.
func endAfter(now time.Time, seconds float64) time.Time {
	if seconds > longestLife.Seconds() {
		return time.Time{}
	}
	return now.Add(time.Duration(seconds * float64(time.Second)))
}

// rejectedCredential is the fault for a credential that the provider does not take.
func rejectedCredential(g Grant, err error) error {
	var p *providerError
	switch {
	case errors.Is(err, errRejected):
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "%s does not accept these credentials.", g.Toolkit.Name).
			WithFix("Check that they are complete, not revoked, and for the right environment.")
	case errors.As(err, &p):
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "%s does not accept these credentials: %s", g.Toolkit.Name, p.text).
			WithFix("Check that they are complete, not revoked, and belong to the auth config's client.")
	}
	return err
}
