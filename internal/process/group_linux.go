package process

import (
	"os/exec"
	"syscall"
)

// ownGroup puts a program in a group of its own, so that it can be ended with what it starts, and has the kernel end it with the
// server.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
