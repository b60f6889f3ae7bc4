package acme

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap/zapcore"
)

// A core has what certmagic says written by slog. Its levels are one lower there, because it tells much that only matters
// when something is wrong: what an operator has to know are errors, and certificates that were obtained.
type core struct {
	log    *slog.Logger
	fields []zapcore.Field
	closed *atomic.Bool // by Close: what is cut short then is no fault
}

func levelOf(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l == zapcore.WarnLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// falseChallenge is told as an error of whoever pretends to be the authority, which anybody can as often as he likes.
const falseChallenge = "tls-alpn challenge"

// Enabled implements zapcore.LevelEnabler.
func (c *core) Enabled(l zapcore.Level) bool {
	return !c.closed.Load() && c.log.Enabled(context.Background(), levelOf(l))
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{c.log, slices.Concat(c.fields, fields), c.closed}
}

// Check implements zapcore.Core.
func (c *core) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == falseChallenge {
		e.Level = zapcore.DebugLevel
	}
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

// Write implements zapcore.Core.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	values := zapcore.NewMapObjectEncoder()
	for _, f := range slices.Concat(c.fields, fields) {
		f.AddTo(values)
	}
	var attrs []slog.Attr
	for _, name := range slices.Sorted(maps.Keys(values.Fields)) {
		value := values.Fields[name]
		if d, ok := value.(time.Duration); ok {
			value = d.String()
		}
		attrs = append(attrs, slog.Any(name, value))
	}
	c.log.LogAttrs(context.Background(), levelOf(e.Level), "acme: "+e.Message, attrs...)
	return nil
}

// Sync implements zapcore.Core.
func (c *core) Sync() error { return nil }
