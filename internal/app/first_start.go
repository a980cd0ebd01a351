package app

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// defaultProject is the project that exists from the beginning.
const defaultProject = "default"

// ensureProject makes sure that the default project exists and can be used: the key from the settings is adopted; without
// one, a project that never had a key gets its first, which is handed back to be shown once.
func ensureProject(ctx context.Context, c config.Config, tenants *tenant.Service) (project tenant.Project, fresh secret.Value, first bool, err error) {
	project, err = tenants.EnsureProject(ctx, defaultProject)
	if err != nil {
		return project, secret.Value{}, false, err
	}
	keys, err := tenants.ListKeys(ctx, tenant.Caller{ProjectID: project.ID})
	if err != nil {
		return project, secret.Value{}, false, err
	}
	first = len(keys) == 0
	switch {
	case !c.APIKey.Empty():
		_, err = tenants.AdoptKey(ctx, project.ID, "from the settings", c.APIKey.Reveal())
		return project, secret.Value{}, first, err
	case first:
		_, key, err := tenants.CreateKey(ctx, project.ID, "first start")
		return project, secret.Hide(key), true, err
	}
	return project, secret.Value{}, false, nil
}
