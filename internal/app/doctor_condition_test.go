package app

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// What overdue work means depends on who should do it.
func TestOverdueWork(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		database string
		running  bool
		want     Verdict
		message  string
	}{
		"the server runs":         {"sqlite", true, Problem, "imports wait since 2026-07-28 09:30 UTC although the server runs"},
		"the server does not run": {"sqlite", false, Fine, "for the server to start"},
		"nodes may run":           {"postgres://db.example/bay", false, Warning, "imports wait since 2026-07-28 09:30 UTC"},
	} {
		d := &doctor{config: config.Config{Database: secret.Hide(tc.database)}}
		d.overdue(Condition{Running: tc.running, Overdue: []Overdue{{"imports", time.Date(2026, 7, 28, 9, 30, 0, 0, time.UTC)}}})
		if f := d.findings; len(f) != 1 || f[0].Verdict != tc.want || !strings.Contains(f[0].Message, tc.message) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Keys that are rotated and not retired are told of with the time from when they can be.
func TestRotationsThatAreNotFinished(t *testing.T) {
	t.Parallel()
	began, retirable := time.Date(2026, 7, 28, 9, 30, 0, 0, time.UTC), time.Date(2026, 7, 28, 9, 40, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		keys SecretsState
		want Verdict
		fix  string
	}{
		"under way":   {SecretsState{Began: &began}, Warning, "secrets rotate"},
		"not retired": {SecretsState{Began: &began, Finished: &began, Retirable: &retirable}, Warning, "from 2026-07-28 09:40 UTC on, with: patchbay secrets retire"},
		"over":        {SecretsState{Began: &began, Finished: &began}, Fine, ""},
		"never":       {SecretsState{}, Fine, ""},
	} {
		d := &doctor{}
		d.rotation(Condition{Keys: tc.keys})
		if f := d.findings; len(f) != 1 || f[0].Verdict != tc.want || !strings.Contains(f[0].Fix, tc.fix) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
