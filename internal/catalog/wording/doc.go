// Package wording makes names and texts for models of what people wrote for people: slugs and argument names that all clients
// take and that stay apart, plain short descriptions of HTML and Markdown.
//
// It knows no kind of description in particular: the importers beside it share it.
package wording
