package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server"
	"github.com/reverb-go/reverb-go/server/handover"
)

// handoverEnv names the descriptor over which a new process is given what the old one has. It is between the two
// alone, as is parentEnv, of the pipe to a parent that stays.
const (
	handoverEnv = "REVERB_GO_HANDOVER_FD"
	parentEnv   = "REVERB_GO_PARENT_FD"
)

// program is what a restart starts: the file at the path this process was started from, whatever that is by then,
// in the folder it was started in by the name it had, which may be a link to a new release by then.
var program = struct{ path, dir string }{programPath(), workingFolder()}

func programPath() string {
	path, err := exec.LookPath(os.Args[0])
	if err != nil {
		path = os.Args[0]
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func workingFolder() string {
	dir, err := os.Getwd() // $PWD, if that is the same folder
	if err != nil {
		return ""
	}
	return dir
}

// An heir is the process that takes the place of this one.
type heir struct {
	cmd  *exec.Cmd
	conn *handover.Conn
}

func (h *heir) pid() int { return h.cmd.Process.Pid }

// restart starts the program anew and hands it everything. On an error the new process is gone, and this one
// serves as before.
func (n *node) restart() (*heir, server.Moved, error) {
	h, err := n.startHeir()
	if err != nil {
		return nil, server.Moved{}, err
	}
	moved, err := n.handOver(h)
	if err != nil {
		return nil, moved, h.end(err)
	}
	h.awaitOpen()
	_ = h.conn.Close()
	return h, moved, nil
}

// openTime is what a process that serves already has to open the rest.
const openTime = 5 * time.Second

// awaitOpen waits until the new process takes orders, which is when it closes its end.
func (h *heir) awaitOpen() {
	_ = h.conn.SetDeadline(time.Now().Add(openTime))
	_, _ = h.conn.Receive()
}

func (n *node) startHeir() (_ *heir, err error) {
	if n.parent, err = n.parent.open(); err != nil {
		return nil, err
	}
	conn, end, err := handover.Pair()
	if err != nil {
		return nil, err
	}
	defer end.Close()
	cmd := exec.Command(program.path, os.Args[1:]...)
	cmd.Dir = program.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{end}
	cmd.Env = append(os.Environ(), handoverEnv+"=3")
	if n.parent.pipe != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, n.parent.pipe)
		cmd.Env = append(cmd.Env, parentEnv+"=4")
	}
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, &failure{config.Problem{Sentence: fmt.Sprintf("%s cannot be started: %v", program.path, err), Hint: "it has to stay where it was when the server was started"}}
	}
	return &heir{cmd, conn}, nil
}

// end ends the new process, and says what went wrong.
func (h *heir) end(why error) error {
	if !handover.HasEnded(why) {
		// Before the connection is closed: to who waits for the word to serve, that says that nobody else is left.
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
		_ = h.conn.Close()
		return explained(why)
	}
	_ = h.conn.Close()
	// Whatever else it was, it has ended: how is what tells most.
	waited := make(chan error, 1)
	go func() { waited <- h.cmd.Wait() }()
	select {
	case <-waited:
	case <-time.After(time.Second):
		_ = h.cmd.Process.Kill()
		<-waited
	}
	return &failure{config.Problem{
		Sentence: fmt.Sprintf("the new process has ended before it had taken over (%v)", h.cmd.ProcessState),
		Hint:     "what it has said stands in the log before this",
	}}
}

// explained makes a sentence of why a handover failed.
func explained(why error) error {
	var told *handover.Failed
	switch {
	case errors.As(why, &told):
		return &failure{config.Problem{Sentence: "the new process says: " + told.Sentence, Hint: told.Hint}}
	case errors.Is(why, os.ErrDeadlineExceeded):
		return &failure{config.Problem{
			Sentence: "the new process did not get on in time and was ended",
			Hint:     "REVERB_GO_RESTART_TIMEOUT is how long it may take to start",
		}}
	}
	return why
}

func (n *node) handOver(h *heir) (server.Moved, error) {
	if err := h.conn.SetDeadline(time.Now().Add(n.cfg.RestartTimeout)); err != nil {
		return server.Moved{}, err
	}
	var hello handover.Hello
	if _, err := h.conn.Expect(handover.KindHello, &hello); err != nil {
		return server.Moved{}, err
	}
	if hello.Version != handover.Version {
		return server.Moved{}, &failure{config.Problem{
			Sentence: fmt.Sprintf("the new program, %s, cannot take over from this one, %s: it speaks version %d of the handover, and this one %d",
				printable(hello.Program), version, hello.Version, handover.Version),
			Hint: "end the server and start it again, which drains its connections",
		}}
	}
	if err := n.sendPlan(h.conn); err != nil {
		return server.Moved{}, err
	}
	if _, err := h.conn.Expect(handover.KindReady, &handover.Ready{}); err != nil {
		return server.Moved{}, err
	}
	return n.server.HandOver(server.Moving{
		To: h.conn, Gates: n.gates(), Extra: n.exportExtra, Commit: func() { n.commit(h.pid()) },
	})
}

func (n *node) sendPlan(to *handover.Conn) error {
	var plan handover.Plan
	var files []int
	for _, l := range n.listeners {
		f, err := l.File()
		if err != nil {
			return fmt.Errorf("hand over the socket for %s: %w", l.name, err)
		}
		defer f.Close()
		fd, err := descriptor(f)
		if err != nil {
			return fmt.Errorf("hand over the socket for %s: %w", l.name, err)
		}
		plan.Listeners = append(plan.Listeners, handover.Listener{Name: l.name, Key: l.key})
		files = append(files, fd)
	}
	plan.Apps = n.server.Apps()
	var e estate
	e.set(n.apps)
	var err error
	if plan.Extra, err = json.Marshal(e); err != nil {
		return err
	}
	return to.Send(handover.KindPlan, &plan, files...)
}

// descriptor is Fd without its effect: that makes the socket one that blocks, here too.
func descriptor(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	err = raw.Control(func(d uintptr) { fd = int(d) })
	return fd, err
}

func (n *node) gates() (all []*server.Gate) {
	for _, l := range n.listeners {
		if g, ok := l.socket.(*server.Gate); ok {
			all = append(all, g)
		}
	}
	return all
}

// commit tells those who watch this process that another one takes its place.
func (n *node) commit(pid int) {
	if n.parent.pipe != nil {
		fmt.Fprintln(n.parent.pipe, pid)
	}
	if !n.parent.stays {
		notify("MAINPID=" + strconv.Itoa(pid))
	}
}

// An inheritance is what a new process is given by the one whose place it takes; nil for one that begins anew.
type inheritance struct {
	conn   *handover.Conn
	plan   handover.Plan
	files  map[string]*os.File // by name and key
	estate estate
	isDone bool // this process serves, or has said why it will not
}

// inherit looks for a process whose place this one is to take.
func inherit() (*inheritance, error) {
	text := os.Getenv(handoverEnv)
	if text == "" {
		return nil, nil
	}
	os.Unsetenv(handoverEnv)
	fd, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, which is no number", handoverEnv, text)
	}
	conn, err := handover.Open(fd)
	if err != nil {
		return nil, err
	}
	in := &inheritance{conn: conn, files: make(map[string]*os.File)}
	if err := in.begin(); err != nil {
		conn.Close()
		return nil, err
	}
	return in, nil
}

func (in *inheritance) begin() error {
	hello := handover.Hello{Version: handover.Version, PID: os.Getpid(), Program: version}
	if err := in.conn.Send(handover.KindHello, &hello); err != nil {
		return err
	}
	files, err := in.conn.Expect(handover.KindPlan, &in.plan)
	if err != nil {
		return err
	}
	for i, fd := range files {
		f := os.NewFile(uintptr(fd), "")
		if i < len(in.plan.Listeners) {
			l := in.plan.Listeners[i]
			in.files[l.Name+" "+l.Key] = f
		} else {
			f.Close()
		}
	}
	return json.Unmarshal(in.plan.Extra, &in.estate)
}

// take returns the socket that the old process listens on for the same purpose at the same address, or nil.
func (in *inheritance) take(name, key string) *os.File {
	if in == nil {
		return nil
	}
	f := in.files[name+" "+key]
	delete(in.files, name+" "+key)
	return f
}

// keys are the addresses that the old process listens on for a purpose, in its order.
func (in *inheritance) keys(name string) (all []string) {
	if in == nil {
		return nil
	}
	for _, l := range in.plan.Listeners {
		if l.Name == name {
			all = append(all, l.Key)
		}
	}
	return all
}

// close tells the old process that all is open. It closes the sockets that the new configuration has no use for, and
// removes their files.
func (in *inheritance) close() {
	if in == nil {
		return
	}
	_ = in.conn.Close()
	for name, f := range in.files {
		f.Close()
		if _, path, isUnix := strings.Cut(name, " unix:"); isUnix {
			os.Remove(path)
		}
	}
}

// fail tells the old process that this one cannot take its place.
func (in *inheritance) fail(why error) {
	if in == nil || in.isDone {
		return
	}
	in.isDone = true
	p := problemOf(why)
	_ = in.conn.Send(handover.KindFailed, &handover.Failed{Sentence: p.Sentence, Hint: p.Hint})
	_ = in.conn.Close()
}

// adopt makes the server go on where that of the old process stops.
func (n *node) adopt() (*server.Server, error) {
	s, moved, err := server.Adopt(n.serverConfig(), n.broker, server.Heir{From: n.in.conn, Plan: n.in.plan, Extra: n.importExtra})
	if err != nil {
		n.in.isDone = true // Adopt has said it
		return nil, err
	}
	n.in.isDone = true
	n.out.log.Info("took over from another process", "connections", moved.Connections)
	return s, nil
}
