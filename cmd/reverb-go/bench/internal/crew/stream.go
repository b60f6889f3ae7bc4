package crew

import (
	"fmt"
	"strconv"
	"strings"
)

// A Stream is the messages of one sender to one channel.
type Stream struct {
	Channel uint32
	Number  uint16
}

// MarshalText makes a Stream the key of a JSON object.
func (s Stream) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d/%d", s.Channel, s.Number), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Stream) UnmarshalText(b []byte) error {
	channel, number, _ := strings.Cut(string(b), "/")
	c, err := strconv.ParseUint(channel, 10, 32)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return err
	}
	s.Channel, s.Number = uint32(c), uint16(n)
	return nil
}
