package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Sink keeps definitions.
type Sink interface {
	// Known gives the definition that is kept under a slug; nil when there is none.
	Known(ctx context.Context, slug string) (*catalog.Definition, error)
	// Put keeps a definition in place of the one with its slug. It may give it a version.
	Put(ctx context.Context, d *catalog.Definition) error
}

// Directory keeps each definition in a file of a directory, <slug>.json, where the setting toolkit_dirs finds it.
type Directory string

// Known reads a file. One that cannot be read any more is no reason not to replace it.
func (d Directory) Known(_ context.Context, slug string) (*catalog.Definition, error) {
	data, err := os.ReadFile(d.file(slug))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	var known catalog.Definition
	if json.Unmarshal(data, &known) != nil {
		return nil, nil //nolint:nilerr // see above
	}
	return &known, nil
}

// Put writes a file, whole or not at all.
func (d Directory) Put(_ context.Context, definition *catalog.Definition) error {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(definition); err != nil {
		return fmt.Errorf("encode definition: %w", err)
	}
	half := d.file(definition.Slug) + ".part"
	if err := os.WriteFile(half, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write definition: %w", err)
	}
	if err := os.Rename(half, d.file(definition.Slug)); err != nil {
		return fmt.Errorf("write definition: %w", err)
	}
	return nil
}

func (d Directory) file(slug string) string {
	return filepath.Join(string(d), strings.ReplaceAll(slug, string(filepath.Separator), "_")+".json")
}

// Nowhere keeps nothing: for trying an import out.
type Nowhere struct{}

// Known knows nothing.
func (Nowhere) Known(context.Context, string) (*catalog.Definition, error) { return nil, nil }

// Put forgets the definition.
func (Nowhere) Put(context.Context, *catalog.Definition) error { return nil }
