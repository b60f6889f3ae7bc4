package pusher

import (
	"bytes"
	"fmt"

	"github.com/reverb-go/reverb-go/protocol"
)

var headEnd = []byte("\r\n\r\n")

// parseUpgrade reads the server's answer to the upgrade. n is its length, or 0 if it is not complete.
func (a *App) parseUpgrade(b []byte) (n int, err error) {
	i := bytes.Index(b, headEnd)
	if i < 0 {
		return 0, nil
	}
	head := b[:i+len(headEnd)]
	status, _, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 101")) {
		return 0, fmt.Errorf("the upgrade was answered with %q", status)
	}
	if got := header(head, "sec-websocket-accept"); string(got) != a.accept {
		return 0, fmt.Errorf("the upgrade was answered with a wrong Sec-WebSocket-Accept %q", got)
	}
	return len(head), nil
}

// header returns the value of a header, whose name is given in lower case.
func header(head []byte, name string) []byte {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && len(key) == len(name) && bytes.EqualFold(key, []byte(name)) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

// subscribe returns a message in the form of pusher-js.
func (a *App) subscribe(socketID, channel, data string, private bool) []byte {
	b := append([]byte(nil), `{"event":"pusher:subscribe","data":{"auth":`...)
	proof := ""
	if private {
		proof = a.auth.SignChannel(socketID, channel, data)
	}
	b = protocol.AppendString(b, proof)
	if data != "" {
		b = append(b, `,"channel_data":`...)
		b = protocol.AppendString(b, data)
	}
	b = append(b, `,"channel":`...)
	b = protocol.AppendString(b, channel)
	return append(b, `}}`...)
}
