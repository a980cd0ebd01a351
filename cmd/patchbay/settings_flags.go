package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/patchbay-dev/patchbay/internal/app/config"
)

// settingsFlags are the flags of the settings, one for each row of the table in package config. Kong reads flags from struct
// tags, so the struct is made from the table.
type settingsFlags struct {
	values reflect.Value // pointer to a struct of *string fields
	keys   []string      // setting of each field
	Set    []string      `name:"set" sep:"none" placeholder:"KEY=VALUE" group:"Settings" help:"Any setting by its key, for example toolkits.github.base_url=https://github.example.com/api/v3. Can be repeated."`
}

func newSettingsFlags() *settingsFlags {
	s := &settingsFlags{}
	var fields []reflect.StructField
	add := func(key, name, help string) {
		tag := fmt.Sprintf(`name:%q placeholder:"…" group:"Settings" help:%s`, name, strconv.Quote(strings.ReplaceAll(help, "`", "")))
		fields = append(fields, reflect.StructField{Name: "F" + strconv.Itoa(len(fields)), Type: reflect.TypeFor[*string](), Tag: reflect.StructTag(tag)})
		s.keys = append(s.keys, key)
	}
	for _, setting := range config.Settings() {
		if setting.PerToolkit() {
			continue
		}
		help := setting.Meaning
		if setting.Default != "" {
			help += " Default: " + setting.Default
		}
		add(setting.Key, setting.Flag(), help)
		if setting.Secret {
			add(setting.Key+"_file", setting.Flag()+"-file", "Read "+setting.Key+" from this file.")
		}
	}
	s.values = reflect.New(reflect.StructOf(fields))
	return s
}

func (s *settingsFlags) plugins() kong.Plugins { return kong.Plugins{s.values.Interface(), s} }

// load reads the settings from these flags, the environment and the settings file.
func (s *settingsFlags) load(c *console) (config.Config, error) {
	flags := map[string]string{}
	for i, key := range s.keys {
		if given := s.values.Elem().Field(i); !given.IsNil() {
			flags[key] = given.Elem().String()
		}
	}
	for _, pair := range s.Set {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return config.Config{}, &settingsError{fmt.Errorf("--set %s: write it as key=value", pair)}
		}
		flags[key] = value
	}
	cfg, err := config.Load(config.Sources{Flags: flags, Environ: c.environ})
	if err != nil {
		return config.Config{}, &settingsError{err}
	}
	return cfg, nil
}

// settingsError is one or more wrong settings, one per line.
type settingsError struct{ error }

// Unwrap gives the faults themselves.
func (e *settingsError) Unwrap() error { return e.error }
