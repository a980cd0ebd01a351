package app

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path/filepath"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Keys makes, lists and revokes the default project's keys for whoever runs the server, who needs no key for it: access to
// the data directory, or to the Postgres database, is the credential.
type Keys interface {
	// Create makes a key and gives it once, in the clear: of the project or, with a user id, of that user.
	Create(ctx context.Context, name, userID string) (tenant.Key, secret.Value, error)
	// List gives all keys, newest first, revoked ones included.
	List(ctx context.Context) ([]tenant.Key, error)
	// Revoke ends a key for good and at once, on every node.
	Revoke(ctx context.Context, id string) (tenant.Key, error)
	io.Closer
}

// OpenKeys gives the keys of the server that the settings describe. A SQLite database belongs to one process, so a server
// that is running is asked, by the socket in its data directory; otherwise the database is opened, and made if there is
// none.
func OpenKeys(ctx context.Context, c config.Config) (Keys, error) {
	if c.Database.Reveal() == "sqlite" {
		if keys, ok := dialControl(ctx, c.Data); ok {
			return keys, nil
		}
	}
	return openStoreKeys(ctx, c)
}

// storeKeys works on the database itself.
type storeKeys struct {
	store   *store.Store
	tenants *tenant.Service
	caller  tenant.Caller
}

func openStoreKeys(ctx context.Context, c config.Config) (*storeKeys, error) {
	bus := &notify.Bus{}
	db, err := store.Open(ctx, store.Options{Database: databaseOf(c), MasterKey: masterKeyOf(c), Bus: bus})
	if err != nil {
		return nil, err
	}
	tenants, err := tenant.New(tenant.Options{Store: db, Bus: bus})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	project, err := tenants.EnsureProject(ctx, defaultProject)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &storeKeys{store: db, tenants: tenants, caller: tenant.Caller{ProjectID: project.ID}}, nil
}

func (k *storeKeys) Create(ctx context.Context, name, userID string) (tenant.Key, secret.Value, error) {
	if userID != "" {
		key, text, err := k.tenants.CreatePersonalKey(ctx, k.caller.ProjectID, userID, name)
		return key, secret.Hide(text), err
	}
	key, text, err := k.tenants.CreateKey(ctx, k.caller.ProjectID, name)
	return key, secret.Hide(text), err
}

func (k *storeKeys) List(ctx context.Context) ([]tenant.Key, error) {
	return k.tenants.ListKeys(ctx, k.caller)
}

func (k *storeKeys) Revoke(ctx context.Context, id string) (tenant.Key, error) {
	return k.tenants.RevokeKey(ctx, k.caller, id)
}

func (k *storeKeys) Close() error { return k.store.Close() }

// databaseOf gives the database as the store wants it: a URL, or the path of the SQLite file.
func databaseOf(c config.Config) string {
	if database := c.Database.Reveal(); database != "sqlite" {
		return database
	}
	return filepath.Join(c.Data, "patchbay.db")
}

// masterKeyOf says where the master key comes from: the settings, or a file in the data directory that is made on first
// start.
func masterKeyOf(c config.Config) secret.KeySource {
	if c.MasterKey.Empty() {
		return secret.KeyFile(filepath.Join(c.Data, "master.key"))
	}
	return secret.KeyReferences(c.MasterKey.Reveal(), secret.References{Lookup: c.Lookup, HTTP: wayToKeyService})
}

// wayToKeyService gives a client that reaches one address and no other, be it private or not: the operator named it.
func wayToKeyService(address string) (secret.Doer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return outbound.New(outbound.Options{Allow: []string{u.Host}})
}
