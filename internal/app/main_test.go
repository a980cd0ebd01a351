package app_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every server that a test starts must end without leaving anything behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
