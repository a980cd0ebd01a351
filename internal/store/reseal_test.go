package store

import (
	"slices"
	"testing"
)

// TestSealedTables compares the list of sealed columns with the schema: what rotation does not know of would be lost with the old
// keys. Whatever is BYTEA is sealed, but for the keysets themselves and the documents of toolkits.
func TestSealedTables(t *testing.T) {
	t.Parallel()
	s := openForTest(t)
	inSchema, err := collect(t.Context(), s.db.reader(), func(r row) (column string, err error) {
		err = r.Scan(&column)
		return column, err
	}, `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'BYTEA' AND m.name NOT IN ('keysets', 'toolkit_documents') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, table := range sealedTables {
		for _, column := range table.columns {
			listed = append(listed, table.name+"."+column)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(inSchema, listed) {
		t.Errorf("sealed in the schema:\n%v\nin sealedTables:\n%v", inSchema, listed)
	}
}
