package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// one makes the setter of a setting with a single value.
func one[T any](parse func(string) (T, error), field func(*Config) *T) func(*Config, string, []string) error {
	return func(c *Config, _ string, values []string) error {
		v, err := parse(values[0])
		if err == nil {
			*field(c) = v
		}
		return err
	}
}

// many makes the setter of a list setting.
func many[T any](parse func(string) (T, error), field func(*Config) *[]T) func(*Config, string, []string) error {
	return func(c *Config, _ string, values []string) error {
		list, err := each(parse, values)
		if err == nil {
			*field(c) = list
		}
		return err
	}
}

// toolkit makes the setter of a per-toolkit setting with a single value.
func toolkit[T any](parse func(string) (T, error), field func(*Toolkit) *T) func(*Config, string, []string) error {
	return func(c *Config, slug string, values []string) error {
		v, err := parse(values[0])
		if err != nil {
			return err
		}
		t := c.Toolkits[slug]
		*field(&t) = v
		c.Toolkits[slug] = t
		return nil
	}
}

// toolkitList is toolkit for list settings.
func toolkitList[T any](parse func(string) (T, error), field func(*Toolkit) *[]T) func(*Config, string, []string) error {
	return func(c *Config, slug string, values []string) error {
		list, err := each(parse, values)
		if err != nil {
			return err
		}
		t := c.Toolkits[slug]
		*field(&t) = list
		c.Toolkits[slug] = t
		return nil
	}
}

func each[T any](parse func(string) (T, error), values []string) ([]T, error) {
	list := make([]T, 0, len(values))
	for _, text := range values {
		v, err := parse(text)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// programEnv sets the variables of a toolkit's program. Values may be the lines of a file.
func programEnv(c *Config, slug string, values []string) error {
	t := c.Toolkits[slug]
	t.ProgramEnv = map[string]secret.Value{}
	for _, line := range strings.Split(strings.Join(values, "\n"), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || !catalog.VariableName.MatchString(name) {
			return errors.New("each is written as NAME=VALUE")
		}
		t.ProgramEnv[name] = secret.Hide(value)
	}
	c.Toolkits[slug] = t
	return nil
}

// ofProjects makes the parser of a text that projects can choose too.
func ofProjects(field func(*tenant.Settings) *string) func(string) (string, error) {
	return func(s string) (string, error) {
		var chosen tenant.Settings
		*field(&chosen) = s
		checked, err := chosen.Checked()
		if err != nil {
			_, problem, _ := strings.Cut(fault.From(err).Details[0], ": ")
			return "", errors.New("it " + problem)
		}
		return text(*field(&checked))
	}
}

func text(s string) (string, error) {
	if s == "" {
		return "", errors.New("it must not be empty")
	}
	return s, nil
}

func hidden(s string) (secret.Value, error) {
	_, err := text(s)
	return secret.Hide(s), err
}

func apiKey(s string) (secret.Value, error) {
	if !id.Has(id.ProjectKey, s) || len(s) < len(id.ProjectKey)+1+22 || strings.ContainsAny(s, " \t\r\n") {
		return secret.Value{}, errors.New(`a key begins with "ak_", is followed by at least 22 characters and has no blanks; echo ak_$(openssl rand -hex 32) makes a good one`)
	}
	return secret.Hide(s), nil
}

func database(s string) (secret.Value, error) {
	if s == "sqlite" {
		return secret.Hide(s), nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return secret.Value{}, errors.New(`it is neither "sqlite" nor a postgres://user:password@host:port/name URL`)
	}
	return secret.Hide(s), nil
}

func address(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", errors.New(`it must be host:port, for example "127.0.0.1:8484" or ":8484"`)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("the port must be a number from 0 to %d", math.MaxUint16)
	} else if port = strconv.FormatUint(n, 10); strings.ContainsAny(host, "/ ") {
		return "", errors.New("the part before the colon must be a host name or an IP address")
	}
	return net.JoinHostPort(host, port), nil
}

func httpURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("it must be an http:// or https:// URL")
	}
	if u.User != nil || u.Fragment != "" {
		return "", errors.New("it must not hold a user, a password or a fragment")
	}
	return strings.TrimRight(s, "/"), nil
}

// issuerURL keeps the text as it is: an issuer's name may end in a slash, and is compared letter by letter.
func issuerURL(s string) (string, error) {
	_, err := httpURL(s)
	return s, err
}

func publicURL(s string) (string, error) {
	base, err := httpURL(s)
	if err == nil && strings.Contains(base, "?") {
		err = errors.New("it must not have a query")
	}
	return base, err
}

func allowed(s string) (string, error) {
	if strings.Contains(s, "://") {
		return "", fmt.Errorf("%q is a URL; give a host, host:port or CIDR", s)
	}
	if strings.Contains(s, "/") {
		if _, err := netip.ParsePrefix(s); err != nil {
			return "", fmt.Errorf("%q is not a CIDR such as 10.1.0.0/16", s)
		}
	}
	return s, nil
}

func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a CIDR such as 10.1.0.0/16", s)
	}
	return p.Masked(), nil
}

func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, errors.New(`it must be "true" or "false"`)
}

func count(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 15)
	if err != nil || n == 0 {
		return 0, errors.New("it must be a whole number of at least 1")
	}
	return int(n), nil
}

func level(s string) (slog.Level, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	l, ok := levels[strings.ToLower(s)]
	if !ok {
		return 0, errors.New("it must be debug, info, warn or error")
	}
	return l, nil
}

func oneOf(choices ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(choices, s) {
			return "", fmt.Errorf("it must be one of %s", strings.Join(choices, ", "))
		}
		return s, nil
	}
}

// duration reads Go's notation ("90s", "1h30m") and whole days ("30d").
func duration(least time.Duration) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if days, isDays := strings.CutSuffix(s, "d"); isDays {
			var n uint64
			n, err = strconv.ParseUint(days, 10, 15)
			d = time.Duration(n) * 24 * time.Hour
		}
		if err != nil {
			return 0, errors.New(`it must be a time such as "90s", "15m", "12h" or "30d"`)
		}
		if d < least {
			return 0, fmt.Errorf("it must be at least %s", least)
		}
		return d, nil
	}
}

// dimensions reads the length of vectors.
func dimensions(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 8 || n > 4096 {
		return 0, errors.New("it must be a number from 8 to 4096")
	}
	return n, nil
}

// size reads bytes with an optional KB, MB or GB (powers of 1024).
func size(s string) (int64, error) {
	units := []struct {
		name  string
		shift uint
	}{{"KB", 10}, {"MB", 20}, {"GB", 30}, {"B", 0}, {"", 0}}
	for _, u := range units {
		number, ok := strings.CutSuffix(strings.ToUpper(s), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if err != nil || n <= 0 {
			break
		}
		return n << u.shift, nil
	}
	return 0, errors.New(`it must be a number of bytes such as "512KB" or "16MB"`)
}
