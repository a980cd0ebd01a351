package catalog

import "slices"

// ScopeChoice limits which scopes may be asked for when tools can do with one of several.
type ScopeChoice struct {
	Include   []string // asked for in any case
	Exclude   []string // never asked for
	Available []string // nothing else may be asked for; none: everything
}

func (c ScopeChoice) allows(scope string) bool {
	return !slices.Contains(c.Exclude, scope) && (len(c.Available) == 0 || slices.Contains(c.Available, scope))
}

// LeastScopes gives the scopes with which all the tools can run and that let them do the least: all that they insist on, and of
// each choice the first, which is the narrowest by the rules of declarations, unless another of it is there anyway. Out of reach
// are tools that need a scope which may not be asked for. Both are sorted.
func (c ScopeChoice) LeastScopes(tools []*Tool) (scopes []string, outOfReach []*Tool) {
	return c.choose(tools, func(open [][]string) string { return open[0][0] })
}

// FewestScopes gives the smallest number of scopes that it finds with which all the tools can run: the scope that is in most of
// the choices still open goes first. The choices are few and short, so this is nearly always the smallest there is.
func (c ScopeChoice) FewestScopes(tools []*Tool) (scopes []string, outOfReach []*Tool) {
	return c.choose(tools, func(open [][]string) string {
		best, most := "", 0
		for _, choice := range open {
			for _, scope := range choice {
				n := 0
				for _, other := range open {
					if slices.Contains(other, scope) {
						n++
					}
				}
				if n > most {
					best, most = scope, n
				}
			}
		}
		return best
	})
}

// choose adds a scope, chosen by pick among the choices that are still open, until none is.
func (c ScopeChoice) choose(tools []*Tool, pick func(open [][]string) string) (scopes []string, outOfReach []*Tool) {
	scopes = slices.Clone(c.Include)
	var open [][]string
	for _, tool := range tools {
		reachable := true
		for _, scope := range tool.Scopes.All {
			scopes = append(scopes, scope)
			reachable = reachable && c.allows(scope)
		}
		for _, choice := range tool.Scopes.Any {
			left := slices.DeleteFunc(slices.Clone(choice), func(scope string) bool { return !c.allows(scope) })
			if reachable = reachable && len(left) > 0; len(left) > 0 {
				open = append(open, left)
			}
		}
		if !reachable {
			outOfReach = append(outOfReach, tool)
		}
	}
	answered := func(choice []string) bool {
		return slices.ContainsFunc(choice, func(scope string) bool { return slices.Contains(scopes, scope) })
	}
	for open = slices.DeleteFunc(open, answered); len(open) > 0; open = slices.DeleteFunc(open, answered) {
		scopes = append(scopes, pick(open))
	}
	scopes = slices.DeleteFunc(scopes, func(scope string) bool { return !c.allows(scope) && !slices.Contains(c.Include, scope) })
	slices.Sort(scopes)
	return slices.Compact(scopes), outOfReach
}
