// Package job does work that becomes due: polls, deliveries, refreshes. The work is rows of the tables of those who own it, each
// with the time when it is due and a lease: who does it, until when. A Loop claims what is due, does it with a bounded number
// of workers, and renews the leases meanwhile. Any number of nodes may run the same loop; when one is killed its leases end,
// and its work is taken up by the others.
//
// It owns the loop and nothing else: no table, no queue of its own, no retry rule. What is due when, and what comes of it, is
// written by whoever gives the work.
package job
