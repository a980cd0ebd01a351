package mapping

// Env is what expressions see.
type Env struct {
	Input  map[string]any    // the call's arguments, after coercion
	Fields map[string]string // the account's connection fields
	Body   any               // the upstream's decoded answer; nil while a request is built
	Status int
	Header map[string]string // of the answer
}

// Text is a compiled text with {name} placeholders.
type Text struct{}

// Expr is one compiled expression.
type Expr struct{}

// Tree is structure (maps, lists, scalars) with expression leaves; a leaf that yields nothing drops its member.
type Tree struct{}
