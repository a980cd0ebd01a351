//go:build !unix

package process

import "os/exec"

// ownGroup does nothing: there are no groups here.
func ownGroup(*exec.Cmd) {}

// askGroup ends a program, which cannot be asked here.
func askGroup(cmd *exec.Cmd) { killGroup(cmd) }

// killGroup ends a program. What it started ends by its own when its input does.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // it may be gone already
