package catalog

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"
)

// fileSource is where the files of one toolkit come from.
type fileSource interface {
	names() ([]string, error) // in order
	content(name string) ([]byte, error)
}

// directory is a directory of a file system.
type directory struct {
	fsys fs.FS
	path string
}

func (d directory) names() ([]string, error) {
	entries, err := fs.ReadDir(d.fsys, d.path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (d directory) content(name string) ([]byte, error) {
	return fs.ReadFile(d.fsys, path.Join(d.path, name))
}

// inMemory is files that somebody sent or that were stored.
type inMemory map[string]string

func (m inMemory) names() ([]string, error) { return slices.Sorted(maps.Keys(m)), nil }

func (m inMemory) content(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// ReadFiles gives the files of the toolkit in a directory, as they can be stored and sent.
func ReadFiles(fsys fs.FS, dir string) (map[string]string, error) {
	from := directory{fsys, dir}
	names, err := from.names()
	if err != nil {
		return nil, fmt.Errorf("read toolkit: %w", err)
	}
	files := map[string]string{}
	for _, name := range names {
		if path.Ext(name) != ".yaml" {
			continue
		}
		content, err := from.content(name)
		if err != nil {
			return nil, fmt.Errorf("read toolkit: %w", err)
		}
		files[name] = string(content)
	}
	return files, nil
}

// Bounds of a YAML document once its aliases are followed: a few lines of them can stand for billions, or for themselves.
const (
	maxNodes = 1_000_000
	maxYAML  = 100 // levels
)

// unwieldy says why a document is not to be read; nil when it may be.
func unwieldy(doc *yaml.Node) *Problem {
	nodes := 0
	var walk func(v *yaml.Node, level int) *Problem
	walk = func(v *yaml.Node, level int) *Problem {
		nodes++
		switch {
		case level > maxYAML:
			return &Problem{Line: v.Line, Message: fmt.Sprintf("this is nested more than %d levels deep", maxYAML)}
		case nodes > maxNodes:
			return &Problem{Line: v.Line, Message: fmt.Sprintf("with its aliases followed, the file has more than %d values", maxNodes)}
		case v.Kind == yaml.AliasNode:
			return walk(v.Alias, level+1)
		}
		for _, inner := range v.Content {
			if problem := walk(inner, level+1); problem != nil {
				return problem
			}
		}
		return nil
	}
	return walk(doc, 0)
}
