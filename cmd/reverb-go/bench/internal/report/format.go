package report

import (
	"math"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// Format writes a value with its unit, in three digits.
func Format(value float64, unit string) string {
	value, unit = scale(value, unit)
	text := digits(value)
	if strings.HasPrefix(unit, "/") || unit == "" || unit == "×" {
		return text + unit
	}
	return text + " " + unit
}

// scale chooses a unit that suits the value.
func scale(value float64, unit string) (float64, string) {
	size := math.Abs(value)
	switch {
	case unit == "ms" && size >= 1000:
		return value / 1000, "s"
	case unit == "ms" && size < 1 && size > 0:
		return value * 1000, "µs"
	case unit == "µs" && size >= 1000:
		return value / 1000, "ms"
	case unit == "B" && size >= 10_000:
		return value / 1000, "kB"
	case unit == "MB" && size >= 10_000:
		return value / 1000, "GB"
	}
	return value, unit
}

// digits writes a number in three digits, whole from a hundred on.
func digits(v float64) string {
	switch size := math.Abs(v); {
	case size >= 99.95:
		return plan.Count(int64(math.Round(v)))
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size == 0:
		return "0"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
