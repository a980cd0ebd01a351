package mapping

func mimeHeaders(a ...any) (any, error)     { return nil, nil }
func mimeText(a ...any) (any, error)        { return nil, nil }
func mimeHTML(a ...any) (any, error)        { return nil, nil }
func mimeAttachments(a ...any) (any, error) { return nil, nil }
func mailAddress(a ...any) (any, error)     { return nil, nil }
func mailList(a ...any) (any, error)        { return nil, nil }
