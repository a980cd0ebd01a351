package connect

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Brand is how a project wants its Connect pages to look. Empty members mean our own look.
type Brand struct {
	Logo   string // https URL of a picture
	Accent string // "#rrggbb"
	Own    bool   // the project put its own name or logo there, so the pages do not show ours
}

func (s *Service) brand(ctx context.Context, projectID string) Brand {
	chosen := s.lenientSettings(ctx, projectID)
	return Brand{Logo: chosen.LogoURL, Accent: chosen.AccentColor, Own: chosen.DisplayName != "" || chosen.LogoURL != ""}
}

// projectName is what the pages call a project.
func (s *Service) projectName(ctx context.Context, projectID string) string {
	return cmp.Or(s.lenientSettings(ctx, projectID).DisplayName, s.o.ProjectName(ctx, projectID))
}

// lenientSettings are for looks alone: a page that cannot find out how to look looks like ours.
func (s *Service) lenientSettings(ctx context.Context, projectID string) tenant.Settings {
	chosen, err := s.o.Settings(ctx, projectID)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "could not read the project's settings for a page", slog.String("error", err.Error()))
		return tenant.Settings{}
	}
	return chosen
}
