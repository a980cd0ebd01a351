package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// LoadDefinitions builds the toolkits of all definitions at the root of a file system: its .json files, as importers write them.
// The error lists what is wrong with each that cannot be used.
func LoadDefinitions(fsys fs.FS) ([]*Toolkit, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read toolkits: %w", err)
	}
	var toolkits []*Toolkit
	var problems []error
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".json" {
			continue
		}
		tk, err := loadDefinition(fsys, e.Name())
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", e.Name(), err))
			continue
		}
		toolkits = append(toolkits, tk)
	}
	return toolkits, errors.Join(problems...)
}

func loadDefinition(fsys fs.FS, name string) (*Toolkit, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var d Definition
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("it is not a toolkit definition: %w", err)
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.Toolkit()
}
