package store_test

import (
	"path/filepath"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "patchbay.db") })
}
