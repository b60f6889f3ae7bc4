package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// target is where a setting goes. set converts what a place said (nil, bool, int, int64, float64,
// string, []string, time.Duration or *laravel.Map); its error completes "port is abc, …". show is the
// stored value for people.
type target struct {
	set  func(v any) error
	show func() any
}

func text(p *string) target {
	return target{
		set: func(v any) error {
			s, ok := scalar(v)
			if !ok {
				return &Problem{"which is no text", "write a single value"}
			}
			*p = s
			return nil
		},
		show: func() any { return *p },
	}
}

func number(p *int, least int) target {
	return target{
		set: func(v any) error {
			n, ok := integer(v)
			if !ok {
				return &Problem{"which is no whole number", "write digits only"}
			}
			if n < least {
				return &Problem{"which is too small", fmt.Sprintf("the least is %d", least)}
			}
			*p = n
			return nil
		},
		show: func() any { return *p },
	}
}

func port(p *int) target {
	t := number(p, 1)
	t.set = func(v any) error {
		n, ok := integer(v)
		if !ok || n < 1 || n > math.MaxUint16 {
			return &Problem{"which is no port number", "a port is a number from 1 to 65535"}
		}
		*p = n
		return nil
	}
	return t
}

// only takes the one value that is supported.
func only(word string) target {
	return target{
		set: func(v any) error {
			if v != word {
				return &Problem{"which is not supported", "the only value is " + word}
			}
			return nil
		},
		show: func() any { return word },
	}
}

// limit is a number, or none, which is stored as -1.
func limit(p *int) target {
	n := number(p, 0)
	return target{
		set: func(v any) error {
			if v == nil {
				*p = -1
				return nil
			}
			return n.set(v)
		},
		show: func() any {
			if *p < 0 {
				return "no limit"
			}
			return *p
		},
	}
}

// truth converts as PHP's (bool): everything is true but false, null, 0, "0" and "". The words for
// "no" that PHP would take for true are refused, since whoever writes them means the opposite.
func truth(p *bool) target {
	return target{
		set: func(v any) error {
			s, ok := scalar(v)
			switch strings.ToLower(s) {
			case "off", "no", "n", "disabled":
				return &Problem{"which Laravel takes for true", "write true or false"}
			}
			if !ok {
				return &Problem{"which is neither true nor false", "write true or false"}
			}
			*p = s != "" && s != "0" && s != "false"
			return nil
		},
		show: func() any { return *p },
	}
}

// duration is a number of seconds, as Laravel has it, or Go's notation.
func duration(p *time.Duration, least time.Duration) target {
	return target{
		set: func(v any) error {
			d, ok := span(v)
			if !ok {
				return &Problem{"which is no time span", `write seconds, or a span like "1m30s"`}
			}
			if d < least {
				return &Problem{"which is too short", fmt.Sprintf("the least is %s", least)}
			}
			*p = d
			return nil
		},
		show: func() any { return p.String() },
	}
}

func list(p *[]string) target {
	return target{
		set: func(v any) error {
			switch v := v.(type) {
			case []string:
				*p = v
				return nil
			case *laravel.Map:
				*p = make([]string, 0, v.Len())
				for _, item := range v.All() {
					s, ok := scalar(item.V)
					if !ok {
						return &Problem{"which is no list of texts", "write one text per entry"}
					}
					*p = append(*p, s)
				}
				return nil
			}
			return &Problem{"which is no list", `write a list, like ["example.com", "*.example.com"]`}
		},
		show: func() any { return *p },
	}
}

func clientEvents(p *auth.ClientEvents) target {
	names := map[string]auth.ClientEvents{"all": auth.ClientEventsAll, "members": auth.ClientEventsMembers}
	var said string
	return target{
		set: func(v any) error {
			said, _ = scalar(v)
			*p = names[said]
			return nil
		},
		show: func() any {
			if _, ok := names[said]; ok {
				return said
			}
			return said + " (none)"
		},
	}
}

func compression(p *auth.Compression) target {
	var said string
	t := oneOf(&said, "off", "auto")
	return target{
		set: func(v any) error {
			err := t.set(v)
			*p = auth.CompressionOff
			if said == "auto" {
				*p = auth.CompressionAuto
			}
			return err
		},
		show: t.show,
	}
}

// scalar returns the text of anything but an array; null has none, true and false are words.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case []string, *laravel.Map:
		return "", false
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return fmt.Sprint(v), true
}

// integer reads whole numbers and numeric strings, with the digit groups of PHP's and YAML's source ("10_000").
func integer(v any) (int, bool) {
	if _, isBool := v.(bool); isBool {
		return 0, false
	}
	s, _ := scalar(v)
	n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(s), "_", ""))
	return n, err == nil
}

func span(v any) (time.Duration, bool) {
	if d, ok := v.(time.Duration); ok {
		return d, true
	}
	if n, ok := integer(v); ok {
		return time.Duration(n) * time.Second, n < math.MaxInt32 && n > math.MinInt32
	}
	s, _ := scalar(v)
	d, err := time.ParseDuration(s)
	return d, err == nil
}
