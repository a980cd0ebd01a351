package mapping

func mimeMessage(a ...any) (any, error) { return nil, invalid("not here yet") }
