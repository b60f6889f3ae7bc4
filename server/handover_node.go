package server

import (
	"crypto/md5"
	"fmt"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/server/handover"
)

// exportNode describes what belongs to no connection, while all loops are parked.
func (s *Server) exportNode(broker []byte) *handover.Node {
	now := s.cfg.Now()
	n := &handover.Node{Age: now.Sub(s.started), Handshakes: s.handshakes.export(now), Broker: broker}
	for _, a := range s.apps.all() {
		n.Apps = append(n.Apps, handover.App{
			ID: a.id, Events: a.events.export(now), Reads: a.reads.export(now),
			Answers: a.answers.export(now), Channels: a.registry.Export(now),
		})
	}
	if m, ok := s.cfg.Hooks.(HookMover); ok {
		n.Hooks = m.Export()
	}
	return n
}

// importNode makes a server, whose loops do not run yet, the one that was exported.
func (s *Server) importNode(n *handover.Node) error {
	now := s.cfg.Now()
	s.started = now.Add(-n.Age)
	for _, l := range s.loops {
		l.setTime(now)
		l.wheel.now = l.seconds
	}
	s.handshakes.bucket = importBucket(n.Handshakes, now)
	for _, x := range n.Apps {
		a, err := s.importApp(x.ID)
		if err != nil {
			return err
		}
		a.events.bucket, a.reads.bucket = importBucket(x.Events, now), importBucket(x.Reads, now)
		a.answers.restore(x.Answers, now)
		a.registry.Import(now, x.Channels)
	}
	if m, ok := s.cfg.Hooks.(HookMover); ok && n.Hooks != nil {
		if err := m.Import(n.Hooks, s.settingsOf); err != nil {
			return err
		}
	}
	if m, ok := s.broker.(Mover); ok && n.Broker != nil {
		if err := m.Import(n.Broker); err != nil {
			return fmt.Errorf("take over the node's part in the cluster: %w", err)
		}
	}
	return nil
}

// settingsOf returns what an app is that has had events.
func (s *Server) settingsOf(id string) (*auth.App, error) {
	a, err := s.importApp(id)
	if err != nil {
		return nil, err
	}
	return a.get(), nil
}

// importApp meets an app that had connections. One that does not exist any more is disabled until RefreshApps
// closes its connections.
func (s *Server) importApp(id string) (*app, error) {
	if a := s.apps.find(id); a != nil {
		return a, nil
	}
	settings, err := s.cfg.Apps.ByID(id)
	if err != nil {
		return nil, fmt.Errorf("look up app %s: %w", id, err)
	}
	if settings == nil {
		gone := auth.DefaultApp()
		gone.ID, gone.IsDisabled = id, true
		settings = &gone
	}
	return s.meet(settings), nil
}

// imported ends an import: the channels have all their subscribers.
func (s *Server) imported() {
	for _, a := range s.apps.all() {
		a.registry.Restored()
		a.channels.Set(float64(len(a.registry.List(s.cfg.Now(), ""))))
	}
}

func (k *answers) export(now time.Time) (all []handover.Answer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, a := range k.byKey {
		if left := a.expires.Sub(now); left > 0 && a.body != nil {
			all = append(all, handover.Answer{Key: key, Sum: a.sum[:], Left: left, Body: a.body})
		}
	}
	return all
}

func (k *answers) restore(all []handover.Answer, now time.Time) {
	for _, x := range all {
		if len(x.Sum) != md5.Size {
			continue
		}
		a, isFirst := k.claim(x.Key, [md5.Size]byte(x.Sum), now, x.Left)
		if a != nil && isFirst {
			a.body = x.Body
			close(a.done)
		}
	}
}
