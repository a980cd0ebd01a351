package catalog

// packed is where the details of a toolkit's tools are kept outside memory.
type packed struct{}

func (p *packed) detail(*Tool) *Detail { return noDetail }
