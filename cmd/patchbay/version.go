package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(c *console) error {
	v := struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
	return c.show(v, func(w io.Writer) { fmt.Fprintf(w, "patchbay %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch) })
}

// versionText is what the linker set, else what "go install" knows.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
