package main

import (
	"cmp"
	"context"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/inspector"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// newInspector returns what answers at /inspector; nil, if that is off.
func (n *node) newInspector() server.Inspector {
	if !n.cfg.Inspector {
		return nil
	}
	o := inspector.Options{
		Token:   n.cfg.AdminToken,
		Version: cmp.Or(version, "(devel)"),
		Apps:    func() []*auth.App { return n.source.now.Load().All() },
		Numbers: n.numbers.numbers,
		Logger:  n.out.log,
	}
	if n.cfg.Scaling.Enabled {
		o.Nodes = func(ctx context.Context) ([]scaling.NodeInfo, error) {
			return scaling.Nodes(ctx, n.redis, n.cfg.Scaling.Prefix)
		}
	}
	return inspector.New(o).Handle
}
