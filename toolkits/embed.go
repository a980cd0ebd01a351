// Package toolkits holds the toolkits that come with the server: data, one directory each (docs/toolkits.md says how they are
// written). It has no logic; package catalog reads it.
package toolkits

import "embed"

// FS holds every toolkit directory, without tests.
//
//go:embed */*.yaml
var FS embed.FS
