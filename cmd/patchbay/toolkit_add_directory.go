package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
)

// directoryView is what became of a directory.
type directoryView struct {
	Files      int              `json:"files"`
	Added      int              `json:"added"`
	Updated    int              `json:"updated"`
	Unchanged  int              `json:"unchanged"`
	Unlisted   int              `json:"unlisted"` // added, and without tools until somebody's account lists them
	Skipped    int              `json:"skipped"`  // not wanted
	Failed     int              `json:"failed"`
	Operations int              `json:"operations"`
	Tools      int              `json:"tools"`
	Outcomes   []intake.Outcome `json:"outcomes"`
}

// directory adds all that a directory, an archive or an index holds.
func (s *toolkitAddCmd) directory(ctx context.Context, c *console, o *intake.Options) error {
	if s.Slug != "" || s.Name != "" || s.BaseURL != "" || len(s.Field) > 0 {
		return wrongUsage("--slug, --name, --base-url and --field are for one toolkit", "leave them out with --directory")
	}
	done, err := s.registryOptions(c, o)
	if err != nil {
		return err
	}
	defer done(ctx)
	if intake.IsAddress(s.Directory) {
		fmt.Fprintf(c.err, "Reading %s\n", intake.Shown(s.Directory))
	}
	collection, err := o.Open(ctx, s.Directory)
	if err != nil {
		return err
	}
	defer collection.Close() //nolint:errcheck // what is left of it is in the system's temporary directory
	if collection.APIs() && s.Out == "" && !s.DryRun {
		return wrongUsage("it is not said where to put the toolkits", "give --out, and name it in the setting toolkit_dirs; or --dry-run")
	}
	view := directoryView{Files: len(collection.Files) + len(collection.LeftOut), Outcomes: []intake.Outcome{}}
	for _, out := range collection.LeftOut {
		view.count(out)
	}
	progress := c.progress("descriptions")
	stopped := o.All(ctx, collection.Files, func(out intake.Outcome) {
		view.count(out)
		progress(len(view.Outcomes), view.Files)
	})
	if stopped != nil && !errors.Is(stopped, context.Canceled) {
		return stopped
	}
	return errors.Join(c.show(view, view.print), stopped)
}

func (v *directoryView) print(w io.Writer) {
	skipped := map[string][]string{}
	for _, out := range v.Outcomes {
		switch {
		case out.Error != "":
			fmt.Fprintf(w, "%s: %s\n", out.Source, out.Error)
		case out.Skipped != "":
			skipped[out.Skipped] = append(skipped[out.Skipped], out.Source)
		case out.Unlisted != "":
			fmt.Fprintf(w, "%s: %s\n", out.Slug, out.HowToList())
		case out.Report != nil && len(out.Report.LeftOut) > 0:
			out.Report.Print(w)
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(skipped), func(a, b string) int { return cmp.Compare(len(skipped[b]), len(skipped[a])) }) {
		sources := skipped[why]
		if slices.Sort(sources); len(sources) > 3 {
			sources = append(sources[:3:3], fmt.Sprintf("and %d more", len(sources)-3))
		}
		fmt.Fprintf(w, "skipped %d, %s: %s\n", len(skipped[why]), why, strings.Join(sources, "; "))
	}
	fmt.Fprintf(w, "%d descriptions: %d added, %d updated, %d unchanged, %d refused", v.Files, v.Added, v.Updated, v.Unchanged, v.Failed)
	for _, more := range []struct {
		n    int
		what string
	}{{v.Skipped, "skipped"}, {v.Unlisted, "still without tools"}} {
		if more.n > 0 {
			fmt.Fprintf(w, ", %d %s", more.n, more.what)
		}
	}
	fmt.Fprintf(w, ". %d of %d operations became tools.\n", v.Tools, v.Operations)
}

func (v *directoryView) count(out intake.Outcome) {
	v.Outcomes = append(v.Outcomes, out)
	switch {
	case out.Error != "":
		v.Failed++
		return
	case out.Skipped != "":
		v.Skipped++
		return
	case out.Unchanged:
		v.Unchanged++
	case out.New:
		v.Added++
	default:
		v.Updated++
	}
	if out.Unlisted != "" {
		v.Unlisted++
	}
	if out.Report != nil {
		v.Operations, v.Tools = v.Operations+out.Report.Operations, v.Tools+out.Report.Tools
	}
}
