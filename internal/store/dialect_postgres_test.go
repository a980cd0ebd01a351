package store_test

import (
	"testing"

	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	empty := storetest.Postgres(t)
	storetest.Run(t, empty)
}
