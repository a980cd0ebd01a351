// Package openapi makes toolkits of OpenAPI descriptions (2.0, 3.0 and 3.1, JSON or YAML): Import turns the text of one into a
// catalog.Definition and a Report of what was left out and why.
//
// Descriptions in the wild are sloppy, large and sometimes hostile. They are read member by member, references are followed only
// within the document and only when something needs them, and every schema is written with a budget; so the memory an import
// takes is bounded by the size of the text (MaxSize) and not by what its references would unfold to.
//
// The package fetches nothing and stores nothing.
package openapi
