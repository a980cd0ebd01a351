package mapping

import (
	"sort"
	"time"
)

var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

// parseTime reads a time: RFC 3339, a date, a local time, or seconds since 1970. A second argument names the time zone of
// one that says none; nothing gives nothing.
func parseTime(a ...any) (any, error) {
	zone := time.UTC
	if len(a) == 2 {
		var err error
		if zone, err = zoneNamed(a[1]); err != nil {
			return nil, err
		}
	}
	switch v := a[0].(type) {
	case nil:
		return nil, nil
	case time.Time:
		return v.In(zoneOf(v, zone, len(a) == 2)), nil
	case int:
		return time.Unix(int64(v), 0).In(zone), nil
	case int64:
		return time.Unix(v, 0).In(zone), nil
	case float64:
		return time.UnixMicro(int64(v * 1e6)).In(zone), nil
	case string:
		for _, layout := range timeLayouts {
			if t, err := time.ParseInLocation(layout, v, zone); err == nil {
				return t, nil
			}
		}
	}
	return nil, invalid("%q is not a time; write it like 2026-01-31T09:30:00Z or 2026-01-31.", AsText(a[0]))
}

func zoneOf(t time.Time, zone *time.Location, asked bool) *time.Location {
	if asked {
		return zone
	}
	return t.Location()
}

func zoneNamed(v any) (*time.Location, error) {
	name := AsText(v)
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, invalid("%q is not a time zone; use an IANA name such as Europe/Berlin.", name)
	}
	return zone, nil
}

// formatTime writes a time: "date", "datetime" (RFC 3339), or a Go layout; in the time zone named last, if one is.
func formatTime(a ...any) (any, error) {
	v, err := parseTime(a[0])
	if err != nil || v == nil {
		return nil, err
	}
	t := v.(time.Time)
	if len(a) == 3 && a[2] != nil {
		zone, err := zoneNamed(a[2])
		if err != nil {
			return nil, err
		}
		t = t.In(zone)
	}
	switch layout := a[1].(string); layout {
	case "date":
		return t.Format(time.DateOnly), nil
	case "datetime":
		return t.Format(time.RFC3339), nil
	default:
		return t.Format(layout), nil
	}
}

// unixTime gives seconds since 1970.
func unixTime(a ...any) (any, error) {
	v, err := parseTime(a...)
	if err != nil || v == nil {
		return nil, err
	}
	return int(v.(time.Time).Unix()), nil
}

// gaps gives what is free between from and to when the intervals of a list ({start, end}) are taken, as {start, end} in
// RFC 3339, in the time zone of from.
func gaps(a ...any) (any, error) {
	from, to, err := interval(a[1], a[2])
	if err != nil {
		return nil, err
	}
	var taken [][2]time.Time
	for _, e := range asList(a[0]) {
		start, end, err := interval(member(e, "start"), member(e, "end"))
		if err != nil {
			return nil, err
		}
		taken = append(taken, [2]time.Time{start, end})
	}
	sort.Slice(taken, func(i, j int) bool { return taken[i][0].Before(taken[j][0]) })
	free := []any{}
	add := func(start, end time.Time) {
		if start.Before(end) {
			free = append(free, map[string]any{
				"start": start.In(from.Location()).Format(time.RFC3339), "end": end.In(from.Location()).Format(time.RFC3339),
			})
		}
	}
	at := from
	for _, t := range taken {
		if t[0].After(to) {
			break
		}
		add(at, t[0])
		if t[1].After(at) {
			at = t[1]
		}
	}
	add(at, to)
	return free, nil
}

func interval(a, b any) (start, end time.Time, err error) {
	s, err := parseTime(a)
	if err != nil {
		return start, end, err
	}
	e, err := parseTime(b)
	if err != nil {
		return start, end, err
	}
	if s == nil || e == nil {
		return start, end, invalid("An interval needs a start and an end.")
	}
	return s.(time.Time), e.(time.Time), nil
}
