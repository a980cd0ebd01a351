//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

// ownGroup puts a program in a group of its own, so that it can be ended with what it starts.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
