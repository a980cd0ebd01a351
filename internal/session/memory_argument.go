package session

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// notes reads the argument memory: lists of texts by toolkit. Whatever is wrong with it is said at once, before any tool runs.
func (c metaCall) notes() ([]Note, error) {
	value := c.arguments.value("memory")
	if value == nil {
		return nil, nil
	}
	byToolkit, ok := value.(map[string]any)
	if !ok {
		return nil, wrongMemory("memory must be an object with lists of notes by toolkit")
	}
	if n := countNotes(byToolkit); n > maxNotes {
		return nil, wrongMemory(fmt.Sprintf("memory has %d notes, and a task has %d at most", n, maxNotes))
	}
	r := notesReader{view: c.view, custom: c.Custom.final(c.view.Catalog)}
	for _, name := range slices.Sorted(maps.Keys(byToolkit)) {
		r.toolkit(name, many(unwrap(byToolkit[name])))
	}
	if len(r.faults) > 0 {
		return nil, wrongMemory(r.faults...)
	}
	return r.notes, nil
}

// countNotes counts a toolkit without notes too: what is read below is bounded by it.
func countNotes(byToolkit map[string]any) int {
	n := 0
	for _, value := range byToolkit {
		n += max(1, len(many(unwrap(value))))
	}
	return n
}

func wrongMemory(faults ...string) error {
	return fault.New(fault.Invalid, fault.SlugInvalid, "%s. No tool was run.", strings.Join(faults, "; ")).WithDetails(faults...).
		WithFix(`Send memory as lists of short texts by toolkit, such as {"slack": ["#general is channel C0123"]}, or leave it out.`)
}

// notesReader gathers notes and everything that is wrong with them.
type notesReader struct {
	view   *View
	custom []placedCustomTool
	notes  []Note
	faults []string
}

func (r *notesReader) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *notesReader) toolkit(name string, items []any) {
	slug, ok := r.slug(name)
	if !ok {
		return
	}
	for i, item := range items {
		text, ok := item.(string)
		if !ok {
			r.fault("memory.%s[%d] must be a text", slug, i)
			continue
		}
		text = strings.Join(strings.Fields(text), " ") // one line: what is noted cannot pass for another part of an answer
		switch n := utf8.RuneCountInString(text); {
		case n > maxNote:
			r.fault("memory.%s[%d] has %d characters, and a note has %d at most", slug, i, n, maxNote)
		case n > 0:
			r.notes = append(r.notes, Note{slug, text})
		}
	}
}

// slug finds the toolkit that is meant, among those that the session sees.
func (r *notesReader) slug(name string) (string, bool) {
	name = strings.TrimSpace(name)
	if kit, ok := r.view.Catalog.Toolkit(name); ok {
		if err := r.view.policy.refuseToolkit(kit.Slug); err != nil {
			r.fault("memory.%s: %s", kit.Slug, fault.From(err).Message)
			return "", false
		}
		return kit.Slug, true
	}
	for _, tool := range r.custom {
		if strings.EqualFold(tool.toolkit, name) {
			return tool.toolkit, true
		}
	}
	r.fault("memory: there is no toolkit %q%s", clip(name, 60), didYouMean(r.view.Catalog.NearestToolkits(name, 3)))
	return "", false
}
