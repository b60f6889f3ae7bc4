package inspector

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when something goes on though nobody looks any more. fasthttp keeps a goroutine for the time of its
// Date header, and one for each listener that ends ten seconds after it; http's client keeps its connections.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
}
