package mapping

// HTMLText is being written.
func HTMLText(s string) string { return s }
