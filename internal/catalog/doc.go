// Package catalog owns what there is to call: Toolkit, Tool and TriggerType, the sources they come from (source_yaml.go;
// OpenAPI, GraphQL and MCP sources stand beside it), and the immutable, versioned Snapshot that everybody reads.
//
// A tool here is a declaration: what a model is told, the schema of its arguments, and how they map to a request. The
// catalog never calls anything, never touches the store, and does not know users.
package catalog
