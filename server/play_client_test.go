package server_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

// patience is how long a client waits for what it is to hear: a protection against hanging, and no
// statement about how fast a server should be.
const patience = 10 * time.Second

// A client is one connection, and what it hears. It has no goroutine: it reads when it is asked what it
// has heard. Everything it hears is a line of text: messages as they are, and the rest in parentheses.
type client struct {
	name string
	key  string // of the app it connected to
	id   string // its socket ID, once it was told

	conn     net.Conn
	r        *bufio.Reader
	switched bool           // it speaks WebSocket: there was a 101
	deflates bool           // and that accepted compression
	over     bool           // nothing can be heard any more
	bye      bool           // it said a close frame
	response *http.Response // the last one
	requests []string       // methods of the HTTP requests that have no response yet

	unheard []string      // read already, but not asked for yet
	held    *bytes.Buffer // what it says while it holds, or nil
	spoke   bool          // since it last settled
	pings   int           // sent by settle
}

func (c *client) dial(on *stage) error {
	c.leave(false)
	conn, err := net.DialTimeout("tcp", on.nextNode(), patience)
	if errors.Is(err, syscall.ECONNREFUSED) {
		*c = client{name: c.name} // which is for the conversation to hear of
		return nil
	}
	if err != nil {
		return err
	}
	*c = client{name: c.name, conn: conn, r: bufio.NewReader(conn), held: c.held}
	return nil
}

// handshake is the request of RFC 6455 §1.2; changes replace its headers, or take one away as "no Upgrade".
func (c *client) connect(on *stage, path string, changes []string) error {
	if err := c.dial(on); err != nil {
		return err
	}
	c.key = appKey(path)
	version, headers := "HTTP/1.1", []string{
		"Host: " + on.addr, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
	}
	for _, change := range changes {
		if strings.HasPrefix(change, "HTTP/") {
			version = change
			continue
		}
		headers = changeHeader(headers, change)
	}
	c.requests = append(c.requests, http.MethodGet)
	c.write([]byte("GET " + path + " " + version + "\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"))
	return nil
}

func appKey(path string) string {
	_, key, _ := strings.Cut(path, "/app/")
	key, _, _ = strings.Cut(key, "?")
	return key
}

func changeHeader(headers []string, change string) []string {
	name, _, _ := strings.Cut(change, ":")
	unwanted := strings.TrimPrefix(name, "no ")
	headers = slices.DeleteFunc(headers, func(h string) bool {
		return strings.EqualFold(h[:strings.Index(h, ":")], unwanted)
	})
	if unwanted != name {
		return headers
	}
	return append(headers, change)
}

// write does not report errors: what could not be said is noticed by what is not heard.
func (c *client) write(b []byte) {
	c.spoke = true
	if c.held != nil {
		c.held.Write(b)
		return
	}
	if c.conn != nil {
		c.conn.SetWriteDeadline(time.Now().Add(patience))
		c.conn.Write(b)
	}
}

func (c *client) frame(op ws.OpCode, fin bool, payload []byte) {
	c.write(clientFrame(op, fin, payload))
}

func clientFrame(op ws.OpCode, fin bool, payload []byte) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	payload = bytes.Clone(payload)
	ws.Cipher(payload, mask, 0)
	var b bytes.Buffer
	h := ws.Header{Fin: fin, OpCode: op, Masked: true, Mask: mask, Length: int64(len(payload))}
	if err := ws.WriteHeader(&b, h); err != nil {
		panic(err) // a Buffer takes everything
	}
	b.Write(payload)
	return b.Bytes()
}

func (c *client) close(code ws.StatusCode, reason string) {
	c.bye = true
	c.frame(ws.OpClose, true, ws.NewCloseFrameBody(code, reason))
}

// leave ends the connection, if there is one. A polite client says so and waits until the server has
// understood.
func (c *client) leave(politely bool) {
	if c.conn == nil {
		return
	}
	if politely && c.switched && !c.over {
		c.close(ws.StatusNormalClosure, "")
		for !c.over {
			c.read()
		}
	}
	c.conn.Close()
	c.over = true
}

// next returns what the client hears next.
func (c *client) next() string {
	if len(c.unheard) > 0 {
		heard := c.unheard[0]
		c.unheard = c.unheard[1:]
		return heard
	}
	return c.read()
}

func (c *client) read() string {
	if c.conn == nil {
		return "(nothing: it never connected)"
	}
	if c.over {
		return "(gone)"
	}
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if !c.switched {
		if heard := c.readResponse(); !c.switched {
			return heard
		}
	}
	return c.readFrame()
}

// readResponse reads an HTTP response; a 101 is not heard, but makes a WebSocket of the connection.
func (c *client) readResponse() string {
	method := http.MethodGet
	if len(c.requests) > 0 {
		method = c.requests[0]
	}
	response, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return c.lost(err)
	}
	c.response = response
	if response.StatusCode != http.StatusContinue && len(c.requests) > 0 {
		c.requests = c.requests[1:]
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		c.switched = true
		c.deflates = response.Header.Get("Sec-WebSocket-Extensions") != ""
		return ""
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return c.lost(fmt.Errorf("in the body of a %d: %w", response.StatusCode, err))
	}
	return note("http", fmt.Sprint(response.StatusCode), string(body))
}

// lost says how the connection ended.
func (c *client) lost(err error) string {
	c.over = true
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Sprintf("(nothing within %v)", patience)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "(gone)"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return "(gone)" // reset
	}
	return note("unreadable:", err.Error())
}

func (c *client) readFrame() string {
	h, err := ws.ReadHeader(c.r)
	if err != nil {
		return c.lost(err)
	}
	isDeflated := c.deflates && h.OpCode.IsData() && h.Rsv1()
	if isDeflated {
		h.Rsv &^= ws.Rsv(true, false, false)
	}
	if !h.Fin || h.Rsv != 0 || h.Masked {
		return fmt.Sprintf("(a frame no server should send: %+v)", h)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return c.lost(err)
	}
	switch h.OpCode {
	case ws.OpText:
		if isDeflated {
			return inflated(payload)
		}
		c.learnID(payload)
		return string(payload)
	case ws.OpPing:
		return note("ping", string(payload))
	case ws.OpPong:
		return note("pong", string(payload))
	case ws.OpClose:
		return c.readClose(payload)
	}
	return fmt.Sprintf("(a frame with opcode %d: %q)", h.OpCode, payload)
}

// inflated is what is heard of a compressed message.
func inflated(payload []byte) string {
	whole := io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	message, err := io.ReadAll(flate.NewReader(whole))
	if err != nil {
		return note("a message that is not compressed as it should be:", err.Error())
	}
	return heardDeflated + string(message)
}

const heardDeflated = "(deflated) "

// deflatedFrame is a message as a client sends it that compresses.
func deflatedFrame(message string) []byte { return squeezed(true, deflated(message)) }

// squeezed is the first frame of a compressed message.
func squeezed(fin bool, payload []byte) []byte {
	frame := clientFrame(ws.OpText, fin, payload)
	frame[0] |= ws.Rsv(true, false, false) << 4
	return frame
}

func deflated(message string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err) // there is this level
	}
	io.WriteString(w, message)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}

// learnID takes the socket ID from the first message.
func (c *client) learnID(message []byte) {
	if c.id != "" || !bytes.Contains(message, []byte("pusher:connection_established")) {
		return
	}
	var outer struct{ Data string }
	var inner struct {
		ID string `json:"socket_id"`
	}
	if json.Unmarshal(message, &outer) == nil && json.Unmarshal([]byte(outer.Data), &inner) == nil {
		c.id = inner.ID
	}
}

// readClose answers the close frame, and waits for the end of the connection that must follow it.
func (c *client) readClose(payload []byte) string {
	heard := "(closed)"
	if len(payload) >= 2 {
		heard = note("closed", fmt.Sprint(binary.BigEndian.Uint16(payload)), string(payload[2:]))
	}
	if !c.bye {
		c.frame(ws.OpClose, true, payload)
	}
	rest, err := io.ReadAll(c.r)
	if len(rest) > 0 {
		heard += fmt.Sprintf(" (and then %q)", rest)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		heard += " (but the connection stayed open)"
	}
	c.over = true
	return heard
}

// note puts words in parentheses.
func note(words ...string) string {
	return "(" + strings.TrimRight(strings.Join(words, " "), " ") + ")"
}

// settle proves that the server has done what c asked of it, and that c has read what the server
// sent before: a WebSocket ping goes out and everything up to its pong is read.
func (c *client) settle() {
	c.spoke = false
	if c.conn == nil || c.over || c.held != nil {
		return
	}
	c.awaitResponse()
	if !c.switched || c.over {
		return
	}
	c.pings++
	want := fmt.Sprintf("(pong settled %d)", c.pings)
	c.frame(ws.OpPing, true, []byte(want[len("(pong "):len(want)-1]))
	c.spoke = false
	for !c.over {
		heard := c.read()
		if heard == want {
			return
		}
		c.unheard = append(c.unheard, heard)
	}
}

// awaitResponse reads the response to the last HTTP request, if that has not been done.
func (c *client) awaitResponse() {
	for len(c.requests) > 0 && !c.switched && !c.over {
		c.conn.SetReadDeadline(time.Now().Add(patience))
		if heard := c.readResponse(); !c.switched {
			c.unheard = append(c.unheard, heard)
		}
	}
}
