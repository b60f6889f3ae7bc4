package inspector

import (
	"encoding/json"
	"sync"
	"time"
)

// A shared answer is worked out for one who asks, and is good for all others who ask within ttl.
type shared struct {
	ttl time.Duration

	mu   sync.Mutex // guards what follows; held while it is worked out
	body json.RawMessage
	at   time.Time
}

// get returns the answer, which make works out if it is too old.
func (s *shared) get(now time.Time, make func() (any, error)) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body != nil && now.Sub(s.at) < s.ttl {
		return s.body, nil
	}
	v, err := make()
	if err != nil {
		return nil, err
	}
	if s.body, err = json.Marshal(v); err != nil {
		return nil, err
	}
	s.at = now
	return s.body, nil
}
