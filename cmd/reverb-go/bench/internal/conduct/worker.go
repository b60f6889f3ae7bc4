package conduct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
)

// A worker is a crew at the other end of a pipe.
type worker struct {
	index   int
	orders  io.WriteCloser
	encoder *json.Encoder
	ended   chan error    // gets what became of the crew
	closing chan struct{} // closed when its answers are of no interest any more
	kill    func()
}

// answer is what one of the workers said.
type answer struct {
	crew.Answer
	from  int
	ended bool // there are no more
}

func newWorker(index int, orders io.WriteCloser) *worker {
	return &worker{index: index, orders: orders, encoder: json.NewEncoder(orders), ended: make(chan error, 1), closing: make(chan struct{})}
}

// listen hands on answers until there are no more, or nobody wants them.
func (w *worker) listen(r io.Reader, answers chan<- answer) {
	d := json.NewDecoder(r)
	for {
		a := answer{from: w.index}
		a.ended = d.Decode(&a.Answer) != nil
		select {
		case answers <- a:
		case <-w.closing:
		}
		if a.ended {
			return
		}
	}
}

func (w *worker) order(o crew.Order) error {
	if err := w.encoder.Encode(o); err != nil {
		return fmt.Errorf("give an order: %w", err)
	}
	return nil
}

// close ends the crew and waits until it has ended.
func (w *worker) close() {
	close(w.closing)
	w.orders.Close()
	select {
	case <-w.ended:
	case <-time.After(10 * time.Second):
		w.kill()
	}
}

// startLocal starts a crew in this process.
func startLocal(ctx context.Context, index int, answers chan<- answer) *worker {
	ordersIn, ordersOut := io.Pipe()
	answersIn, answersOut := io.Pipe()
	w := newWorker(index, ordersOut)
	go w.listen(answersIn, answers)
	ctx, cancel := context.WithCancel(ctx)
	w.kill = cancel
	go func() {
		err := crew.Serve(ctx, ordersIn, answersOut)
		answersOut.Close()
		ordersIn.Close()
		cancel()
		w.ended <- err
	}()
	return w
}

// startProcess starts a crew in a process of its own, which is this program again.
func startProcess(ctx context.Context, index int, command []string, answers chan<- answer) (*worker, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	w := newWorker(index, orders)
	w.kill = func() { _ = cmd.Process.Kill() }
	go func() {
		w.listen(said, answers)
		w.ended <- cmd.Wait()
	}()
	return w, nil
}

var errWorkerEnded = errors.New("a worker ended unexpectedly")
