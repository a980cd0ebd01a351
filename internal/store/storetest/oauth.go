package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var oauthBehaviours = behaviours{
	"a client comes back whole":                 clientWhole,
	"unused clients are bounded":                clientsBounded,
	"a grant comes back whole":                  grantWhole,
	"a code is redeemed once":                   codeOnce,
	"a refresh token is exchanged once":         rotatedOnce,
	"nothing is handed out for a revoked grant": grantRevoked,
	"grants are listed newest first":            grantsListed,
	"all grants of a user are revoked":          grantsRevoked,
	"grants end with their key":                 grantsEndWithTheirKey,
	"one token ends alone":                      tokenDeleted,
	"what ended is swept":                       oauthSwept,
	"a sign-in ends with its key":               loginEnds,
	"sign-ins of a user end together":           loginsDeleted,
}

func aClient(id string) authserver.Client {
	return authserver.Client{
		ID: id, SecretHash: "hash of " + id, Name: "Ünder <b>", RedirectURIs: []string{"http://127.0.0.1/cb", "https://a.example/cb?x=1"},
		AuthMethod: authserver.SecretPost, Refreshes: true, CreatedAt: start,
	}
}

// aGrant has something in every field, and a code that was not used.
func aGrant(id, projectID, userID string) authserver.Grant {
	return authserver.Grant{
		ID: id, ProjectID: projectID, UserID: userID, ClientID: "oc_1", ClientName: "A client", ClientHost: "a.example",
		Resource: "https://bay.example/mcp", Scope: "tools", Refreshes: true,
		Code:      authserver.Code{Hash: "code of " + id, RedirectURI: "https://a.example/cb", Challenge: "challenge", ExpiresAt: start.Add(time.Minute)},
		CreatedAt: start, ExpiresAt: start.Add(time.Minute),
	}
}

// tokensOf are an access token for an hour and a refresh token for a day.
func tokensOf(g authserver.Grant, name string) []authserver.Token {
	access := authserver.Token{Hash: "access " + name, ProjectID: g.ProjectID, GrantID: g.ID, Kind: authserver.AccessToken, CreatedAt: start, ExpiresAt: start.Add(time.Hour)}
	refresh := access
	refresh.Hash, refresh.Kind, refresh.ExpiresAt = "refresh "+name, authserver.RefreshToken, start.Add(24*time.Hour)
	return []authserver.Token{access, refresh}
}

// withGrant stores a grant that was redeemed.
func (f *fixture) withGrant(t *testing.T, g authserver.Grant) []authserver.Token {
	t.Helper()
	tokens := tokensOf(g, g.ID)
	must(t, f.CreateGrant(t.Context(), g))
	must(t, f.RedeemCode(t.Context(), g, tokens, start))
	return tokens
}

func clientWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aClient("oc_1")
	must(t, f.CreateOAuthClient(ctx, want, 10))
	same(t, "read", got(f.OAuthClient(ctx, "oc_1"))(t), want)
	wantKind(t, "the same again", f.CreateOAuthClient(ctx, want, 10), fault.Conflict)
	_, err := f.OAuthClient(ctx, "oc_none")
	wantKind(t, "unknown", err, fault.NotFound)

	must(t, f.CreateGrant(ctx, aGrant("og_1", ours, "ada")))
	want.UsedAt = start
	same(t, "used", got(f.OAuthClient(ctx, "oc_1"))(t), want)
}

func clientsBounded(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateOAuthClient(ctx, aClient("oc_1"), 3))
	must(t, f.CreateGrant(ctx, aGrant("og_1", ours, "ada"))) // uses oc_1
	for i := range 6 {
		c := aClient(fmt.Sprintf("oc_new%d", i))
		c.CreatedAt = start.Add(time.Duration(i) * time.Second)
		must(t, f.CreateOAuthClient(ctx, c, 3))
	}
	for id, kept := range map[string]bool{"oc_1": true, "oc_new0": false, "oc_new2": false, "oc_new3": true, "oc_new5": true} {
		if _, err := f.OAuthClient(ctx, id); fault.Is(err, fault.NotFound) == kept {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func grantWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aGrant("og_1", ours, "ada")
	must(t, f.CreateGrant(ctx, want))
	same(t, "by id", got(f.Grant(ctx, ours, "og_1"))(t), want)
	same(t, "by code", got(f.GrantByCode(ctx, want.Code.Hash))(t), want)
	for what, err := range map[string]error{
		"another project's": second(f.Grant(ctx, theirs, "og_1")),
		"no such code":      second(f.GrantByCode(ctx, "nonsense")),
	} {
		wantKind(t, what, err, fault.NotFound)
	}
	twin := aGrant("og_2", ours, "bob")
	twin.Code.Hash = want.Code.Hash
	wantKind(t, "the same code", f.CreateGrant(ctx, twin), fault.Conflict)
}

// second gives the error of a pair.
func second[T any](_ T, err error) error { return err }

func codeOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	g := aGrant("og_1", ours, "ada")
	must(t, f.CreateGrant(ctx, g))
	later := start.Add(time.Second)
	won := 0
	for i, err := range together(8, func(i int) error { return f.RedeemCode(ctx, g, tokensOf(g, fmt.Sprint(i)), later) }) {
		switch {
		case err == nil:
			won++
			token, of, err := f.TokenByHash(ctx, fmt.Sprintf("access %d", i))
			must(t, err)
			same(t, "token", token, tokensOf(g, fmt.Sprint(i))[0])
			g.Code.UsedAt, g.UsedAt, g.ExpiresAt = later, later, start.Add(24*time.Hour)
			same(t, "its grant", of, g)
		default:
			wantKind(t, "too late", err, fault.Conflict)
			_, _, err := f.TokenByHash(ctx, fmt.Sprintf("access %d", i))
			wantKind(t, "the loser's token", err, fault.NotFound)
		}
	}
	if won != 1 {
		t.Errorf("%d redeemed the code", won)
	}
}

func rotatedOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	g := aGrant("og_1", ours, "ada")
	refresh := f.withGrant(t, g)[1]
	later := start.Add(time.Minute)
	won := 0
	for i, err := range together(8, func(i int) error { return f.RotateToken(ctx, refresh, tokensOf(g, fmt.Sprint(i)), later) }) {
		if err == nil {
			won++
			continue
		}
		wantKind(t, "too late", err, fault.Conflict)
		_, _, err := f.TokenByHash(ctx, fmt.Sprintf("refresh %d", i))
		wantKind(t, "the loser's token", err, fault.NotFound)
	}
	used, of, err := f.TokenByHash(ctx, refresh.Hash)
	must(t, err)
	if won != 1 || !used.UsedAt.Equal(later) || !of.UsedAt.Equal(later) {
		t.Errorf("%d exchanged it; it was used at %v, its grant at %v", won, used.UsedAt, of.UsedAt)
	}
}

func grantRevoked(t *testing.T, f *fixture) {
	ctx := t.Context()
	g := aGrant("og_1", ours, "ada")
	refresh := f.withGrant(t, g)[1]
	waiting := aGrant("og_2", ours, "ada")
	must(t, f.CreateGrant(ctx, waiting))
	f.news()
	later := start.Add(time.Minute)
	revoked := got(f.RevokeGrant(ctx, ours, "og_1", "why not", later))(t)
	if !revoked.RevokedAt.Equal(later) || revoked.Reason != "why not" {
		t.Errorf("revoked: %+v", revoked)
	}
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Grant, ID: "og_1"}})
	same(t, "again", got(f.RevokeGrant(ctx, ours, "og_1", "another reason", later.Add(time.Hour)))(t), revoked)
	got(f.RevokeGrant(ctx, ours, "og_2", "", later))(t)
	wantKind(t, "exchange", f.RotateToken(ctx, refresh, tokensOf(g, "new"), later), fault.Conflict)
	wantKind(t, "redeem", f.RedeemCode(ctx, waiting, tokensOf(waiting, "new"), later), fault.Conflict)
	_, err := f.RevokeGrant(ctx, theirs, "og_1", "", later)
	wantKind(t, "another project's", err, fault.NotFound)
}

func grantsListed(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i, user := range []string{"ada", "bob", "ada"} {
		g := aGrant(fmt.Sprintf("og_%d", i), ours, user)
		g.CreatedAt = start.Add(time.Duration(i) * time.Second)
		f.withGrant(t, g)
	}
	must(t, f.CreateGrant(ctx, aGrant("og_waiting", ours, "ada")))
	f.withGrant(t, aGrant("og_theirs", theirs, "ada"))
	f.withGrant(t, aGrant("og_revoked", ours, "ada"))
	got(f.RevokeGrant(ctx, ours, "og_revoked", "", start))(t)
	list := func(user string, when time.Time) (ids []string) {
		for _, g := range got(f.ListGrants(ctx, ours, user, when))(t) {
			ids = append(ids, g.ID)
		}
		return ids
	}
	same(t, "of all", list("", start), []string{"og_2", "og_1", "og_0"})
	same(t, "of ada", list("ada", start), []string{"og_2", "og_0"})
	same(t, "after their end", list("", start.Add(48*time.Hour)), []string(nil))
}

func grantsRevoked(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withGrant(t, aGrant("og_1", ours, "ada"))
	f.withGrant(t, aGrant("og_2", ours, "bob"))
	f.withGrant(t, aGrant("og_3", theirs, "ada"))
	f.news()
	ended := got(f.RevokeGrants(ctx, ours, "ada", "left", start))(t)
	if len(ended) != 1 || ended[0].ID != "og_1" || ended[0].Reason != "left" {
		t.Errorf("ended %+v", ended)
	}
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Grant, ID: "og_1"}})
	if ended := got(f.RevokeGrants(ctx, ours, "", "all", start))(t); len(ended) != 1 || ended[0].ID != "og_2" {
		t.Errorf("of all: ended %+v", ended)
	}
	if g := got(f.Grant(ctx, theirs, "og_3"))(t); !g.RevokedAt.IsZero() {
		t.Error("another project's grant was ended")
	}
}

func grantsEndWithTheirKey(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	for _, id := range []string{"key_1", "key_2"} {
		must(t, f.CreateKey(ctx, aKey(id, ours)))
	}
	with := func(grantID, projectID, keyID string) []authserver.Token {
		g := aGrant(grantID, projectID, "ada")
		g.KeyID = keyID
		return f.withGrant(t, g)
	}
	first := with("og_1", ours, "key_1")
	with("og_2", ours, "key_2")
	with("og_3", ours, "")
	f.news()
	got(f.RevokeKey(ctx, ours, "key_1", start))(t)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Key, ID: "key_1"}, {Kind: notify.Grant, ID: "og_1"}})
	for id, stands := range map[string]bool{"og_1": false, "og_2": true, "og_3": true} {
		if g := got(f.Grant(ctx, ours, id))(t); g.RevokedAt.IsZero() != stands || (g.Reason == "") != stands {
			t.Errorf("%s: %+v", id, g)
		}
	}
	wantKind(t, "refresh", f.RotateToken(ctx, first[1], tokensOf(authserver.Grant{ID: "og_1", ProjectID: ours}, "next"), start), fault.Conflict)

	late := aGrant("og_late", ours, "ada") // stored in the moment in which its key was revoked
	late.KeyID = "key_1"
	must(t, f.CreateGrant(ctx, late))
	wantKind(t, "redeem", f.RedeemCode(ctx, late, tokensOf(late, "late"), start), fault.Conflict)
}

func tokenDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	tokens := f.withGrant(t, aGrant("og_1", ours, "ada"))
	f.news()
	must(t, f.DeleteToken(ctx, tokens[0]))
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Grant, ID: "og_1"}})
	_, _, err := f.TokenByHash(ctx, tokens[0].Hash)
	wantKind(t, "the token", err, fault.NotFound)
	if _, _, err := f.TokenByHash(ctx, tokens[1].Hash); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

func oauthSwept(t *testing.T, f *fixture) {
	ctx := t.Context()
	used, unused := aClient("oc_1"), aClient("oc_unused")
	must(t, f.CreateOAuthClient(ctx, used, 10))
	must(t, f.CreateOAuthClient(ctx, unused, 10))
	tokens := f.withGrant(t, aGrant("og_1", ours, "ada"))
	must(t, f.CreateGrant(ctx, aGrant("og_waiting", ours, "ada")))
	must(t, f.CreateLogin(ctx, aLogin("l1", "ada", "")))

	now := start.Add(2 * time.Hour)
	must(t, f.SweepOAuth(ctx, now, now, start.Add(-time.Hour)))
	_, _, err := f.TokenByHash(ctx, tokens[0].Hash)
	wantKind(t, "the access token", err, fault.NotFound)
	got(f.Grant(ctx, ours, "og_1"))(t)
	wantKind(t, "the grant whose code nobody used", second(f.Grant(ctx, ours, "og_waiting")), fault.NotFound)
	wantKind(t, "the unused client", second(f.OAuthClient(ctx, "oc_unused")), fault.NotFound)
	got(f.OAuthClient(ctx, "oc_1"))(t)
	got(f.LoginByHash(ctx, "l1", start))(t)

	now = start.Add(25 * time.Hour)
	must(t, f.SweepOAuth(ctx, now, now, now))
	wantKind(t, "the grant", second(f.Grant(ctx, ours, "og_1")), fault.NotFound)
	_, _, err = f.TokenByHash(ctx, tokens[1].Hash)
	wantKind(t, "the refresh token", err, fault.NotFound)
	wantKind(t, "the client", second(f.OAuthClient(ctx, "oc_1")), fault.NotFound)
	wantKind(t, "the sign-in", second(f.LoginByHash(ctx, "l1", start)), fault.NotFound)
}

func aLogin(hash, userID, keyID string) authserver.Login {
	return authserver.Login{
		Hash: hash, Person: tenant.Person{ProjectID: ours, UserID: userID, KeyID: keyID}, Issuer: "https://login.example",
		CreatedAt: start, ExpiresAt: start.Add(12 * time.Hour),
	}
}

func loginEnds(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.withProjects(ctx, t)
	key := aKey("key_1", ours)
	key.UserID = "ada"
	must(t, f.CreateKey(ctx, key))
	same(t, "the key", got(f.KeyByHash(ctx, key.Hash))(t), key)
	want := aLogin("l1", "ada", "key_1")
	must(t, f.CreateLogin(ctx, want))
	same(t, "the sign-in", got(f.LoginByHash(ctx, "l1", start))(t), want)
	wantKind(t, "later", second(f.LoginByHash(ctx, "l1", want.ExpiresAt)), fault.NotFound)
	got(f.RevokeKey(ctx, ours, "key_1", start))(t)
	wantKind(t, "without its key", second(f.LoginByHash(ctx, "l1", start)), fault.NotFound)
}

func loginsDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	for _, l := range []authserver.Login{aLogin("a", "ada", ""), aLogin("b", "bob", ""), aLogin("c", "bob", ""), aLogin("d", "eve", "")} {
		must(t, f.CreateLogin(ctx, l))
	}
	must(t, f.DeleteLogin(ctx, "a"))
	must(t, f.DeleteLogins(ctx, ours, "bob"))
	must(t, f.DeleteLogins(ctx, theirs, ""))
	for hash, stays := range map[string]bool{"a": false, "b": false, "c": false, "d": true} {
		if _, err := f.LoginByHash(ctx, hash, start); fault.Is(err, fault.NotFound) == stays {
			t.Errorf("%s: %v", hash, err)
		}
	}
	must(t, f.DeleteLogins(ctx, ours, ""))
	wantKind(t, "the last", second(f.LoginByHash(ctx, "d", start)), fault.NotFound)
}
