package server_test

import (
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

// TestMain fails when a test has left a goroutine behind. fasthttp keeps one for the time of its Date header, and
// one for each listener that ends ten seconds after it.
func TestMain(m *testing.M) {
	logging.Disable() // Redis is killed and paused here, which go-redis would tell of at length
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}
