package openapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// maxImportant is how many tools of a toolkit are marked as those that people need first.
const maxImportant = 20

// chooseImportant marks a few tools: the plain ones near the root of the API, and not all of one area.
func chooseImportant(made []madeTool) {
	order := make([]int, len(made))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(plainness(&made[a]), plainness(&made[b])), cmp.Compare(made[a].op.order, made[b].op.order))
	})
	areas := map[string]int{}
	chosen := 0
	for _, n := range order {
		if chosen == maxImportant {
			return
		}
		m := &made[n]
		area := m.area()
		if m.tool.Deprecated || len(made) > maxImportant && areas[area] >= maxImportant/4 {
			continue
		}
		areas[area]++
		m.tool.Important = true
		chosen++
	}
}

func (m *madeTool) area() string {
	if m.tool.Group != "" {
		return m.tool.Group
	}
	for _, segment := range strings.Split(m.op.path, "/") {
		if segment != "" && !strings.Contains(segment, "{") && !wording.IsVersion(strings.ToLower(segment)) && segment != "api" {
			return segment
		}
	}
	return ""
}

// plainness is lower the plainer an operation is.
func plainness(m *madeTool) int {
	depth := 0
	for _, segment := range strings.Split(m.op.path, "/") {
		switch {
		case segment == "" || wording.IsVersion(strings.ToLower(segment)) || segment == "api":
		case strings.Contains(segment, "{"):
			depth += 2
		default:
			depth += 3
		}
	}
	switch m.op.method {
	case "GET", "POST":
	case "PATCH", "PUT":
		depth += 2
	case "DELETE":
		depth += 4
	default:
		depth += 20
	}
	lower := strings.ToLower(m.op.path)
	for _, word := range []string{"admin", "internal", "health", "ping", "webhook", "oauth", "token", "debug", "metrics", "deprecated", "legacy", "beta"} {
		if strings.Contains(lower, word) {
			depth += 6
		}
	}
	return depth
}
