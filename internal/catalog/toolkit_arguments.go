package catalog

// ArgumentNames gives the names of the top-level arguments of each of the toolkit's tools, in the order of Tools. They are read
// where they are kept: for whoever builds an index, not for a request.
func (t *Toolkit) ArgumentNames() ([][]string, error) {
	if t.packed != nil {
		return t.packed.argumentNames()
	}
	names := make([][]string, len(t.Tools))
	for i, tool := range t.Tools {
		names[i] = argumentNamesOf(tool.Detail().Input.JSON)
	}
	return names, nil
}
