package store

import (
	"context"
	"errors"
)

func openPostgres(ctx context.Context, o Options) (database, error) {
	return nil, errors.New("being written")
}
