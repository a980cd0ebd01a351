package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fromFile reads the settings file: the one that flags or environment name, else patchbay.yaml if there is one.
func fromFile(dir string, flags, env layer) (name string, l layer, faults []error) {
	name, named := fileName(dir, flags, env)
	content, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return "", nil, nil
	case err != nil:
		return name, nil, []error{fmt.Errorf("the settings file cannot be read: %w", err)}
	}
	l, faults = parseFile(filepath.Base(name), content)
	return name, l, faults
}

func fileName(dir string, flags, env layer) (name string, named bool) {
	for _, l := range []layer{flags, env} {
		if g, ok := l["config"]; ok {
			return g.values[0], true
		}
	}
	return filepath.Join(dir, defaultFile), false
}

// parseFile flattens a YAML document into dotted keys. "log: {level: debug}" and "log.level: debug" mean the same.
func parseFile(name string, content []byte) (layer, []error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		return nil, []error{fmt.Errorf("%s: %w", name, err)}
	}
	r := fileReader{name: name, layer: layer{}}
	if len(doc.Content) > 0 {
		r.mapping(doc.Content[0], "")
	}
	return r.layer, r.faults
}

type fileReader struct {
	name   string
	layer  layer
	faults []error
}

func (r *fileReader) mapping(node *yaml.Node, prefix string) {
	if node.Kind != yaml.MappingNode {
		r.fault(node, fmt.Errorf("settings are written as \"key: value\""))
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		r.value(key, prefix+key.Value, node.Content[i+1])
	}
}

func (r *fileReader) value(at *yaml.Node, key string, value *yaml.Node) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	s, _, _, ok := find(key)
	switch {
	case key == "config":
		r.fault(at, errors.New("the settings file cannot name another one; use --config or PATCHBAY_CONFIG"))
	case !ok && value.Kind == yaml.MappingNode && isGroup(key):
		r.mapping(value, key+".")
	case !ok:
		r.fault(at, unknown(key))
	case value.Tag == "!!null":
		return
	case value.Kind == yaml.ScalarNode:
		r.put(at, key, s.split(value.Value))
	case value.Kind == yaml.SequenceNode:
		r.sequence(at, key, value)
	default:
		r.fault(at, fmt.Errorf("%s takes a value, not a group of keys", key))
	}
}

func (r *fileReader) sequence(at *yaml.Node, key string, list *yaml.Node) {
	values := []string{}
	for _, item := range list.Content {
		if item.Kind != yaml.ScalarNode {
			r.fault(item, fmt.Errorf("%s takes a list of plain values", key))
			return
		}
		values = append(values, item.Value)
	}
	r.put(at, key, values)
}

func (r *fileReader) put(at *yaml.Node, key string, values []string) {
	place := fmt.Sprintf("%s:%d", r.name, at.Line)
	if earlier, twice := r.layer[key]; twice {
		r.fault(at, fmt.Errorf("%s is already set at %s", key, earlier.place))
		return
	}
	r.layer[key] = given{values: values, place: place}
}

func (r *fileReader) fault(at *yaml.Node, err error) {
	r.faults = append(r.faults, fmt.Errorf("%s:%d: %w", r.name, at.Line, err))
}

// isGroup reports whether keys exist below this one, so that a mapping is in place.
func isGroup(key string) bool {
	parts := strings.Split(key, ".")
	if parts[0]+"." == toolkitsPart && len(parts) > 1 {
		parts[1] = slugMark
	}
	prefix := strings.Join(parts, ".") + "."
	for _, s := range Settings() {
		if strings.HasPrefix(s.Key, prefix) {
			return true
		}
	}
	return false
}
