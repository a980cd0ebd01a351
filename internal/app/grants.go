package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

// Grants lists and ends what the default project's people allowed MCP clients, for whoever runs the server; as Keys, without a key.
type Grants interface {
	// ListGrants gives what stands, newest first: of one user, or of all when userID is empty.
	ListGrants(ctx context.Context, userID string) ([]authserver.Grant, error)
	// RevokeGrant ends one grant at once, on every node.
	RevokeGrant(ctx context.Context, id string) (authserver.Grant, error)
	// RevokeGrants ends all grants of a user, or of everybody when userID is empty, with their sign-ins, and gives what it ended.
	RevokeGrants(ctx context.Context, userID string) ([]authserver.Grant, error)
	io.Closer
}

// OpenGrants gives the grants of the server that the settings describe, as OpenKeys does its keys.
func OpenGrants(ctx context.Context, c config.Config) (Grants, error) {
	if c.Database.Reveal() == "sqlite" {
		if grants, ok := dialControl(ctx, c.Data); ok {
			return grants, nil
		}
	}
	keys, err := openStoreKeys(ctx, c)
	if err != nil {
		return nil, err
	}
	people, err := authserver.New(authserver.Options{
		Store: keys.store, Bus: &notify.Bus{}, Sealer: keys.store.Keyring().Server(), Keys: keys.tenants.AuthenticatePerson,
		SessionOwner: func(context.Context, string, string) (string, error) {
			return "", errors.New("nobody is let in by a command")
		},
	})
	if err != nil {
		return nil, errors.Join(err, keys.Close())
	}
	return &storeGrants{people: people, projectID: keys.caller.ProjectID, Closer: keys}, nil
}

// storeGrants works on the database itself.
type storeGrants struct {
	people    *authserver.Service
	projectID string
	io.Closer
}

// revokedByOperator is the reason that is kept.
const revokedByOperator = "the operator ended it"

func (g *storeGrants) ListGrants(ctx context.Context, userID string) ([]authserver.Grant, error) {
	return g.people.ListGrants(ctx, g.projectID, userID)
}

func (g *storeGrants) RevokeGrant(ctx context.Context, id string) (authserver.Grant, error) {
	return g.people.RevokeGrant(ctx, g.projectID, "", id, revokedByOperator)
}

func (g *storeGrants) RevokeGrants(ctx context.Context, userID string) ([]authserver.Grant, error) {
	return g.people.RevokeGrants(ctx, g.projectID, userID, revokedByOperator)
}

func (k *controlClient) ListGrants(ctx context.Context, userID string) (list []authserver.Grant, err error) {
	err = k.call(ctx, http.MethodGet, "/grants?user="+url.QueryEscape(userID), &list)
	return list, err
}

func (k *controlClient) RevokeGrant(ctx context.Context, id string) (grant authserver.Grant, err error) {
	err = k.call(ctx, http.MethodDelete, "/grants/"+url.PathEscape(id), &grant)
	return grant, err
}

func (k *controlClient) RevokeGrants(ctx context.Context, userID string) (list []authserver.Grant, err error) {
	err = k.call(ctx, http.MethodDelete, "/grants?user="+url.QueryEscape(userID), &list)
	return list, err
}
