package main

import (
	"os"
	"os/signal"
	"path/filepath"

	"github.com/reverb-go/reverb-go/server/handover"
)

func init() { pretend = pretendHeir }

// pretendHeir is a new program that takes over in another way than it should, as the file pretend next to it says. It reports
// false if this process is a usual one.
func pretendHeir() bool {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(os.Args[0]), "pretend"))
	if err != nil || os.Getenv(handoverEnv) == "" {
		return false
	}
	how := string(text)
	conn, err := handover.Open(3)
	if err != nil {
		os.Exit(9)
	}
	hello := handover.Hello{Version: handover.Version, PID: os.Getpid(), Program: "9.9"}
	if how == "other version" {
		hello.Version++
	}
	_ = conn.Send(handover.KindHello, &hello)
	_, _ = conn.Receive() // the plan
	if how == "other version" {
		sleep()
	}
	_ = conn.Send(handover.KindReady, &handover.Ready{})
	if how == "miscounts" {
		miscount(conn)
	}
	_, _ = conn.Receive() // the node
	_, _ = conn.Receive() // some connections
	switch how {
	case "dies":
		os.Exit(7)
	case "hangs":
		sleep()
	}
	_ = conn.Send(handover.KindFailed, &handover.Failed{Sentence: "it does not want to", Hint: "ask it nicely"})
	sleep()
	return true
}

// miscount says that it has taken more than there was. The file serves is there when it then takes over all the same.
func miscount(conn *handover.Conn) {
	var all handover.End
	for {
		m, err := conn.Receive()
		if err != nil {
			os.Exit(9)
		}
		switch m.Kind {
		case handover.KindConnections, handover.KindRequests:
			_ = conn.Send(handover.KindAck, &handover.Ack{})
		case handover.KindEnd:
			_ = m.Decode(&all)
			_ = conn.Send(handover.KindAdopted, &handover.Adopted{Connections: all.Connections + 1, Requests: all.Requests})
			if _, err := conn.Receive(); handover.HasEnded(err) {
				_ = os.WriteFile(filepath.Join(filepath.Dir(os.Args[0]), "serves"), nil, 0o600)
			}
			sleep()
		}
	}
}

// sleep waits to be killed.
func sleep() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	<-signals
}
