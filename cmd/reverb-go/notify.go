package main

import (
	"net"
	"os"
	"strings"
)

// What systemd is told by a service of Type=notify or notify-reload.
const (
	readyState    = "READY=1"
	stoppingState = "STOPPING=1"
)

// notify tells systemd the state of this service, if it has asked to be told.
func notify(state string) {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	if strings.HasPrefix(address, "@") { // in Linux's namespace without files
		address = "\x00" + address[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(state)) // nobody listens, then
}
