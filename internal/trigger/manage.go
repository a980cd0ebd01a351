package trigger

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Instance gives one instance.
func (s *Service) Instance(ctx context.Context, c tenant.Caller, instanceID string) (Instance, error) {
	return s.store.Instance(ctx, c.ProjectID, instanceID)
}

// List gives instances, the newest first.
func (s *Service) List(ctx context.Context, c tenant.Caller, f Filter) ([]Instance, connect.Page, error) {
	return s.store.ListInstances(ctx, c.ProjectID, f)
}

// Enable puts an instance into service. From is the origin under which this server is reached.
func (s *Service) Enable(ctx context.Context, c tenant.Caller, instanceID, from string) (Instance, error) {
	i, err := s.store.Instance(ctx, c.ProjectID, instanceID)
	if err != nil {
		return Instance{}, err
	}
	return s.enable(ctx, c, i, from)
}

// Disable takes an instance out of service until it is enabled, and removes its webhook at the provider. What the provider
// does not remove is noted; its calls are dropped.
func (s *Service) Disable(ctx context.Context, c tenant.Caller, instanceID string) (Instance, error) {
	i, err := s.store.Instance(ctx, c.ProjectID, instanceID)
	if err != nil {
		return Instance{}, err
	}
	why := "Disabled by the project."
	if err := s.detach(ctx, c, &i); err != nil {
		why += " Its webhook was left at the provider: " + fault.From(err).Message
	}
	disabled, err := s.store.UpdateInstance(context.WithoutCancel(ctx), c.ProjectID, instanceID, func(i *Instance) ([]event.Event, error) {
		if i.Status == Disabled && i.Reason == ByProject {
			return nil, errSame
		}
		i.stop(Disabled, ByProject, why, s.now().UTC())
		i.Hook, i.DueAt = nil, time.Time{}
		return nil, nil
	})
	if errors.Is(err, errSame) {
		return i, nil
	}
	return disabled, err
}

// Delete removes an instance, here and at the provider. A provider that does not let itself be asked does not keep it alive.
func (s *Service) Delete(ctx context.Context, c tenant.Caller, instanceID string) error {
	i, err := s.store.Instance(ctx, c.ProjectID, instanceID)
	if err != nil {
		return err
	}
	if err := s.detach(ctx, c, &i); err != nil && fault.Is(err, fault.Canceled) {
		return err
	}
	return s.store.DeleteInstance(context.WithoutCancel(ctx), c.ProjectID, instanceID)
}
