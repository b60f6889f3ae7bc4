package scaling

import "github.com/prometheus/client_golang/prometheus"

// Counters are the numbers a broker counts into. Those that are nil are not counted.
type Counters struct {
	Commands    prometheus.Counter // scripts run
	Received    prometheus.Counter // messages from Redis
	Dropped     prometheus.Counter // messages that waited too long, or were too many, while Redis was away
	Repaired    prometheus.Counter // messages that were missed and read again
	Unrepaired  prometheus.Counter // times that messages may have been missed for good
	Malformed   prometheus.Counter // messages and values that no node wrote
	Outages     prometheus.Counter // times that Redis was lost
	Resurrected prometheus.Counter // times that this node had been taken for dead
}

func (c Counters) withDefaults() Counters {
	for _, counter := range []*prometheus.Counter{
		&c.Commands, &c.Received, &c.Dropped, &c.Repaired, &c.Unrepaired, &c.Malformed, &c.Outages, &c.Resurrected,
	} {
		if *counter == nil {
			*counter = prometheus.NewCounter(prometheus.CounterOpts{Name: "unregistered"})
		}
	}
	return c
}
