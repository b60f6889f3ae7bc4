package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/rogpeppe/go-internal/testscript"
)

// clients are the WebSocket connections of a script, by name.
type clients map[string]*client

type clientsKey struct{}

type client struct {
	conn   net.Conn
	reader io.Reader
}

// cmdConnect opens a connection: connect [-cert FILE] [-unix FILE] [-proxy HEADER] [-header LINE] NAME URL.
func cmdConnect(ts *testscript.TestScript, neg bool, args []string) {
	var config tls.Config
	args = clientCertificate(ts, &config, args)
	dialer := ws.Dialer{TLSConfig: &config, Timeout: patience}
	args = dialOptions(ts, &dialer, args)
	usage(ts, neg, len(args) == 2, "connect [-cert FILE] [-unix FILE] [-proxy HEADER] [-header LINE] NAME URL")
	conn, buffered, _, err := dialer.Dial(context.Background(), args[1])
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	c := &client{conn: conn, reader: conn}
	if buffered != nil { // with what came right behind the handshake
		c.reader = buffered
	} else {
		c.reader = bufio.NewReader(conn)
	}
	ts.Value(clientsKey{}).(clients)[args[0]] = c
}

// dialOptions takes the options that say how to dial off the arguments.
func dialOptions(ts *testscript.TestScript, d *ws.Dialer, args []string) []string {
	var path, greeting string
	for len(args) > 2 {
		switch args[0] {
		case "-unix":
			path = ts.MkAbs(args[1])
		case "-proxy":
			greeting = args[1] + "\r\n"
		case "-header":
			name, value, _ := strings.Cut(args[1], ": ")
			d.Header = ws.HandshakeHeaderHTTP{name: {value}}
		default:
			return args
		}
		args = args[2:]
	}
	d.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if path != "" {
			network, addr = "unix", path
		}
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			_, err = io.WriteString(c, greeting)
		}
		return c, err
	}
	return args
}

func clientNamed(ts *testscript.TestScript, name string) *client {
	c := ts.Value(clientsKey{}).(clients)[name]
	if c == nil {
		ts.Fatalf("there is no client %s", name)
	}
	return c
}

// cmdSay sends a message: say NAME JSON.
func cmdSay(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "say NAME JSON")
	frame := ws.MaskFrame(ws.NewTextFrame([]byte(args[1])))
	ts.Check(ws.WriteFrame(clientNamed(ts, args[0]).conn, frame))
}

// cmdHear prints the next frame: a text as it is, a close frame as "close CODE REASON", the end as "end".
func cmdHear(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "hear NAME")
	c := clientNamed(ts, args[0])
	ts.Check(c.conn.SetReadDeadline(time.Now().Add(patience)))
	header, err := ws.ReadHeader(c.reader)
	if err == io.EOF {
		fmt.Fprintln(ts.Stdout(), "end")
		return
	}
	ts.Check(err)
	payload := make([]byte, min(header.Length, 1<<20))
	_, err = io.ReadFull(c.reader, payload)
	ts.Check(err)
	if header.OpCode == ws.OpClose {
		code, reason := ws.ParseCloseFrameData(payload)
		fmt.Fprintln(ts.Stdout(), "close", code, reason)
		return
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", payload)
}
