package scaling

import (
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

// TestMain fails when a test has left a goroutine behind.
func TestMain(m *testing.M) {
	logging.Disable() // Redis goes away here, which go-redis would tell of at length
	goleak.VerifyTestMain(m)
}
