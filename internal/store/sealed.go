package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// vault seals the secret columns of one row. What is sealed opens only with the keyset of the row's project, in the same
// row and column.
type vault struct {
	sealer *secret.Sealer
	row    string // table/id
}

// vaultOf gives the vault of a row. Get it before a transaction begins: the first for a project writes the project's keyset.
func (s *Store) vaultOf(ctx context.Context, projectID, table, id string) (vault, error) {
	sealer, err := s.keyring.Project(ctx, projectID)
	return vault{sealer, table + "/" + id + "/"}, err
}

// sealBytes gives what is stored for bytes; nil for nil.
func (v vault) sealBytes(plain []byte, column string) ([]byte, error) {
	if plain == nil {
		return nil, nil
	}
	return v.sealer.Seal(plain, v.row+column)
}

// openBytes gives back what sealBytes was given.
func (v vault) openBytes(sealed []byte, column string) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	return v.sealer.Open(sealed, v.row+column)
}

// sealValue and openValue do the same for one secret text; empty for empty.
func (v vault) sealValue(value secret.Value, column string) ([]byte, error) {
	if value.Empty() {
		return nil, nil
	}
	return v.sealBytes([]byte(value.Reveal()), column)
}

func (v vault) openValue(sealed []byte, column string) (secret.Value, error) {
	plain, err := v.openBytes(sealed, column)
	return secret.Hide(string(plain)), err
}

// sealFields and openFields do the same for all the fields of a scheme together; nil for none.
func (v vault) sealFields(fields connect.Fields, column string) ([]byte, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	plain := make(map[string]string, len(fields))
	for name, value := range fields {
		plain[name] = value.Reveal()
	}
	encoded, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("encode fields of %s: %w", v.row+column, err)
	}
	return v.sealBytes(encoded, column)
}

func (v vault) openFields(sealed []byte, column string) (connect.Fields, error) {
	encoded, err := v.openBytes(sealed, column)
	if err != nil || encoded == nil {
		return nil, err
	}
	var plain map[string]string
	if err := json.Unmarshal(encoded, &plain); err != nil {
		return nil, fmt.Errorf("decode fields of %s", v.row+column) // the cause would quote the secret
	}
	fields := make(connect.Fields, len(plain))
	for name, value := range plain {
		fields[name] = secret.Hide(value)
	}
	return fields, nil
}
