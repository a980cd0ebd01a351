// Package imports makes toolkits of projects' own out of descriptions that are posted, in the background: an Import is queued, read,
// made into a toolkit and stored, and keeps a report of what was left out and what changed. It outlives the process: what was
// under way when a node was killed is begun anew by whoever is there, and given up when it has killed a few.
//
// It owns the Import, its order (one at a time for each project) and its limits. How descriptions are read is intake's business, what
// becomes of them the importers', and keeping toolkits the catalog's.
package imports
