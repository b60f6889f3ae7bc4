package services

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// as has a command run as a user, since databases refuse root, and end with the tests.
func as(cmd *exec.Cmd, name string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if name == "" || os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := ids(name)
	if err == nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return err
}

// give makes a folder the user's.
func give(dir, name string) error {
	if name == "" || os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := ids(name)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

func ids(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}
