package catalog

// ArgumentNames gives the names of the top-level arguments of each of the toolkit's tools, in the order of Tools. They are read
// where they are kept: for whoever builds an index, not for a request. Where they cannot be read there are none, and the tools say
// why when they are asked for their details.
func (t *Toolkit) ArgumentNames() [][]string {
	names := make([][]string, len(t.Tools))
	if t.packed != nil {
		read, err := t.packed.argumentNames()
		if err == nil && len(read) == len(names) {
			return read
		}
		return names
	}
	for i, tool := range t.Tools {
		names[i] = argumentNamesOf(tool.Detail().Input.JSON)
	}
	return names
}
