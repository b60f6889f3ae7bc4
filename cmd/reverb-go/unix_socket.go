package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

var (
	errAnswers   = errors.New("another server listens on it")
	errNoSocket  = errors.New("there is a file of this name that is no socket")
	errNotLooked = errors.New("whether another server listens on it cannot be found out")
)

// listenUnix makes a unix socket whose file has the permissions of mode. It takes the place of one whose server has ended
// without removing it, which is when nobody answers.
func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	narrow := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { narrowSocket(fd, mode) })
	}}
	ln, err := narrow.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	// What the umask has taken away is given back.
	if err := os.Chmod(path, mode); err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return errNoSocket
	}
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		c.Close()
		return errAnswers
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, syscall.EAGAIN): // its queue is full
		return errAnswers
	}
	return errors.Join(errNotLooked, err)
}

// remover returns what removes the file of a socket, unless another one has taken its place by then.
func remover(path string) (remove func()) {
	mine, err := os.Lstat(path)
	return func() {
		now, errNow := os.Lstat(path)
		if err == nil && errNow == nil && os.SameFile(mine, now) {
			os.Remove(path)
		}
	}
}
