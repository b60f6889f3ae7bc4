package pusher

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// An Event is a message from the server.
type Event struct {
	Name    string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
	UserID  string          `json:"user_id"` // of a client event in a presence channel

	Raw []byte `json:"-"` // the message as it came
}

// Text returns the data as a client sees it: the text in a JSON string, or else the JSON.
func (e Event) Text() string {
	var s string
	if json.Unmarshal(e.Data, &s) == nil {
		return s
	}
	return string(e.Data)
}

// problem is what a pusher:error says.
func (e Event) problem() *CloseError {
	var p CloseError
	_ = json.Unmarshal([]byte(e.Text()), &p) // what is not there stays empty
	return &p
}

// A Socket is one connection that the server has welcomed. Only Next answers the server's pings, so it is to be
// called again and again.
type Socket struct {
	ID string

	activity time.Duration // silence after which the server is asked whether it is there
	server   *Server
	conn     net.Conn
	in       *bufio.Reader
	stop     func() bool // ends the context's hold on the Socket
}

// A HandshakeError is an answer to the request to open a connection that opens none.
type HandshakeError struct {
	Status int
	Header http.Header
	Body   string // its beginning
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("the server answers %d %s", e.Status, http.StatusText(e.Status))
}

// A CloseError says why the server has ended a connection, or not let it in.
type CloseError struct {
	Code    int    `json:"code"` // of the protocol; 1005 or 1006 without one
	Message string `json:"message"`
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("the server has closed with %d %s", e.Code, e.Message)
}

// ErrSilent is that of a server that does not answer a ping.
var ErrSilent = errors.New("the server does not answer any more")

const (
	dialTime  = 15 * time.Second
	pongTime  = 30 * time.Second // what pusher-js waits
	writeTime = 10 * time.Second
	frameTime = 60 * time.Second // for the rest of a message whose first byte is there

	maxMessage = 64 << 20
)

// Options are what few callers set.
type Options struct {
	Origin string // "" is none, as outside of browsers
	Quiet  bool   // do not ask a silent server whether it is there
}

// Connect opens a connection and waits for the server's welcome. The Socket is closed when ctx ends.
func (s *Server) Connect(ctx context.Context, o Options) (*Socket, error) {
	dialer := ws.Dialer{TLSConfig: s.TLS, Timeout: dialTime}
	if o.Origin != "" {
		dialer.Header = ws.HandshakeHeaderHTTP{"Origin": {o.Origin}}
	}
	var refused *HandshakeError
	dialer.OnStatusError = func(status int, _ []byte, answer io.Reader) { refused = readRefusal(status, answer) }
	conn, in, _, err := dialer.Dial(ctx, s.socketURL())
	if err != nil {
		if refused != nil {
			err = refused
		}
		return nil, err
	}
	if in == nil { // else it holds what came right behind the handshake
		in = bufio.NewReader(conn)
	}
	c := &Socket{server: s, conn: conn, in: in}
	c.stop = context.AfterFunc(ctx, func() { c.leave() })
	if err := c.welcome(); err != nil {
		c.Close()
		return nil, err
	}
	if o.Quiet {
		c.activity = 0
	}
	return c, nil
}

func (s *Server) socketURL() string {
	u := *s.URL
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	return u.String() + "/app/" + url.PathEscape(s.App.Key) + "?protocol=7&client=reverb-go&version=1.0"
}

func readRefusal(status int, answer io.Reader) *HandshakeError {
	e := &HandshakeError{Status: status}
	resp, err := http.ReadResponse(bufio.NewReader(answer), nil)
	if err != nil {
		return e
	}
	defer resp.Body.Close()
	// Read what is there: an answer without a length would be waited for.
	part := make([]byte, 4096)
	n, _ := resp.Body.Read(part)
	e.Header, e.Body = resp.Header, string(part[:n])
	return e
}

func (c *Socket) welcome() error {
	c.activity = dialTime
	e, err := c.Next()
	if err != nil {
		return err
	}
	var w struct {
		SocketID string  `json:"socket_id"`
		Activity float64 `json:"activity_timeout"`
	}
	if e.Name == "pusher:error" {
		return e.problem()
	}
	if e.Name != "pusher:connection_established" || json.Unmarshal([]byte(e.Text()), &w) != nil || w.SocketID == "" {
		return fmt.Errorf("the server speaks another protocol; it began with %.200q", e.Raw)
	}
	c.ID, c.activity = w.SocketID, time.Duration(w.Activity*float64(time.Second))
	return nil
}

// Next returns the next event but for pings and pongs. Its error is a [*CloseError] if the server said why it
// ended the connection.
func (c *Socket) Next() (Event, error) {
	for {
		if err := c.await(); err != nil {
			return Event{}, err
		}
		raw, err := c.read()
		if err != nil {
			return Event{}, closeReason(err)
		}
		e := Event{Raw: raw}
		if raw == nil {
			continue
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return Event{}, fmt.Errorf("the server sent what is no message: %.200q", raw)
		}
		switch e.Name {
		case "pusher:ping":
			if err := c.sendText([]byte(protocol.Pong)); err != nil {
				return Event{}, err
			}
		case "pusher:pong":
		default:
			return e, nil
		}
	}
}

// await waits for the first byte of a frame, and asks a silent server whether it is there.
func (c *Socket) await() error {
	if c.activity == 0 {
		_, err := c.in.Peek(1)
		return err
	}
	for _, patience := range []time.Duration{c.activity, pongTime} {
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		_, err := c.in.Peek(1)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if c.ID == "" {
			break
		}
		if err := c.sendText([]byte(protocol.Ping)); err != nil {
			return err
		}
	}
	return ErrSilent
}

// read returns a text message, or nil for a control frame.
func (c *Socket) read() ([]byte, error) {
	now := time.Now()
	// Pings are answered in here.
	if err := errors.Join(c.conn.SetReadDeadline(now.Add(frameTime)), c.conn.SetWriteDeadline(now.Add(writeTime))); err != nil {
		return nil, err
	}
	control := wsutil.ControlFrameHandler(c.conn, ws.StateClientSide)
	r := wsutil.Reader{Source: c.in, State: ws.StateClientSide, CheckUTF8: true, OnIntermediate: control, MaxFrameSize: maxMessage, MaxMessageSize: maxMessage}
	header, err := r.NextFrame()
	if err != nil {
		return nil, err
	}
	if header.OpCode.IsControl() {
		return nil, control(header, &r)
	}
	return io.ReadAll(&r)
}

func closeReason(err error) error {
	var closed wsutil.ClosedError
	if errors.As(err, &closed) {
		return &CloseError{Code: int(closed.Code), Message: closed.Reason}
	}
	return err
}

func (c *Socket) sendText(text []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return wsutil.WriteClientText(c.conn, text)
}

func (c *Socket) send(event string, data any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"event": event, "data": data}); err != nil {
		return err
	}
	return c.sendText(b.Bytes())
}

// Subscribe asks for a channel, with the proof that the app's backend would give. channelData is for presence
// channels, and "" is none.
func (c *Socket) Subscribe(channel, channelData string) error {
	data := map[string]string{"channel": channel}
	if channels.KindOf(channel).Guarded() {
		data["auth"] = c.server.App.SignChannel(c.ID, channel, channelData)
	}
	if channelData != "" {
		data["channel_data"] = channelData
	}
	return c.send("pusher:subscribe", data)
}

// Signin signs in as a user.
func (c *Socket) Signin(userData string) error {
	return c.send("pusher:signin", map[string]string{"auth": c.server.App.SignUser(c.ID, userData), "user_data": userData})
}

// Close says goodbye and closes.
func (c *Socket) Close() error {
	if !c.stop() {
		return nil // leave was called
	}
	return c.leave()
}

// leave may be called while Next waits, which then fails.
func (c *Socket) leave() error {
	if c.conn.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
		_ = ws.WriteFrame(c.conn, ws.MaskFrameInPlace(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))) // it may be gone
	}
	return c.conn.Close()
}

// Certificate returns the server's; nil without TLS.
func (c *Socket) Certificate() *x509.Certificate {
	if conn, ok := c.conn.(*tls.Conn); ok {
		return conn.ConnectionState().PeerCertificates[0]
	}
	return nil
}
