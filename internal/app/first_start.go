package app

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// defaultProject is the project that exists from the beginning.
const defaultProject = "default"

// ensureProject makes sure that the default project exists and can be used: the key from the settings is adopted; without one, a
// project that never had a key gets its first, and one for its first person. They are handed back to be shown once.
func ensureProject(ctx context.Context, c config.Config, tenants *tenant.Service) (project tenant.Project, made Welcome, err error) {
	project, err = tenants.EnsureProject(ctx, defaultProject)
	if err != nil {
		return project, made, err
	}
	keys, err := tenants.ListKeys(ctx, tenant.Caller{ProjectID: project.ID})
	if err != nil {
		return project, made, err
	}
	made.First = len(keys) == 0
	if !c.APIKey.Empty() {
		_, err = tenants.AdoptKey(ctx, project.ID, "from the settings", c.APIKey.Reveal())
		return project, made, err
	}
	if !made.First {
		return project, made, nil
	}
	_, key, err := tenants.CreateKey(ctx, project.ID, "first start")
	if err != nil {
		return project, made, err
	}
	_, personal, err := tenants.CreatePersonalKey(ctx, project.ID, tenant.DefaultUser, "first start")
	made.APIKey, made.PersonalKey = secret.Hide(key), secret.Hide(personal)
	return project, made, err
}
