package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// definitionFile is a definition in a directory of the operator's, as importers write them.
type definitionFile struct {
	path    string
	packed  string // name of its packed form; empty where there is none
	toolkit *Toolkit
	err     error
}

// openFiles opens the definitions of some directories. They are packed like stored ones, so that a start need not read them again:
// a file is taken for the same as long as its size and its time are.
func (c *Catalog) openFiles(directories []string) ([]definitionFile, error) {
	var files []definitionFile
	for _, directory := range directories {
		paths, err := filepath.Glob(filepath.Join(directory, "*.json"))
		if err != nil {
			return nil, fmt.Errorf("read toolkits of %s: %w", directory, err)
		}
		for _, path := range paths {
			files = append(files, definitionFile{path: path})
		}
	}
	next := make(chan *definitionFile)
	var workers sync.WaitGroup
	for range min(loaders, len(files)) {
		workers.Go(func() {
			for f := range next {
				if f.err = c.openFile(f); f.err == nil {
					f.toolkit, f.err = c.overridden(f.toolkit)
				}
			}
		})
	}
	for i := range files {
		next <- &files[i]
	}
	close(next)
	workers.Wait()
	return files, nil
}

func (c *Catalog) openFile(f *definitionFile) error {
	if c.directory == "" {
		d, err := readDefinition(f.path)
		if err == nil {
			f.toolkit, err = d.Toolkit()
		}
		return err
	}
	state, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	whole, err := filepath.Abs(f.path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", whole, state.Size(), state.ModTime().UnixNano()))
	f.packed = hex.EncodeToString(sum[:16]) + ".toolkit"
	packedPath := filepath.Join(c.directory, f.packed)
	repack := func() error { return packFile(f.path, packedPath) }
	f.toolkit, err = openPacked(packedPath, c.details)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			c.log.Warn("a packed toolkit is made anew", "file", f.path, "reason", err)
		}
		if err := repack(); err != nil {
			return err
		}
		if f.toolkit, err = openPacked(packedPath, c.details); err != nil {
			return err
		}
	}
	f.toolkit.packed.restore = repack
	f.toolkit.hash = f.packed
	return nil
}

func packFile(path, packedPath string) error {
	d, err := readDefinition(path)
	if err != nil {
		return err
	}
	content, err := pack(d)
	if err != nil {
		return err
	}
	return writeFile(packedPath, content)
}

func readDefinition(path string) (*Definition, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d Definition
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("it is not a toolkit definition: %w", err)
	}
	return &d, d.check()
}
