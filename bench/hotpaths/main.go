// Command hotpaths measures what the server's hot paths cost, beside the floor they are compared with.
//
// What is measured is CPU time of the server process per call, as the operating system accounts it, because wall time on a
// shared machine says little. The floor is Go's own reverse proxy before the same upstream, and for lists a handler that
// writes prepared bytes of the same length. Floor and server take turns in one run, and the ratio is the result.
//
//	go run ./bench/hotpaths -patchbay bin/patchbay
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"
)

func main() {
	log.SetFlags(0)
	role := flag.String("role", "", "internal: upstream, proxy")
	target := flag.String("target", "", "internal: what the proxy stands before")
	binary := flag.String("patchbay", "bin/patchbay", "the server to measure")
	calls := flag.Int("calls", 3000, "calls per round")
	rounds := flag.Int("rounds", 5, "rounds; floor and server take turns")
	sessions := flag.Int("sessions", 10_000, "sessions to create for the memory figure")
	asJSON := flag.Bool("json", false, "print the results for a program")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch *role {
	case "upstream":
		log.Fatal(serveUpstream())
	case "proxy":
		log.Fatal(serveProxy(*target))
	}

	bed, err := startBed(ctx, *binary)
	if err != nil {
		log.Fatal(err)
	}
	defer bed.stop()
	results, err := measureAll(ctx, bed, plan{calls: *calls, rounds: *rounds, sessions: *sessions})
	if err != nil {
		bed.stop()
		log.Fatal(err)
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
			log.Fatal(err)
		}
		return
	}
	printResults(results)
}

func printResults(r results) {
	fmt.Printf("%-46s %12s %12s %8s %10s\n", "path", "floor us", "patchbay us", "ratio", "p50 wall")
	for _, p := range r.Paths {
		fmt.Printf("%-46s %12.1f %12.1f %7.2fx %10s\n", p.Name, p.FloorMicros, p.Micros, p.Ratio, p.Wall.Round(time.Microsecond))
	}
	fmt.Printf("\nstart to ready        %s\n", r.StartToReady.Round(time.Millisecond))
	fmt.Printf("RSS idle              %.0f MB\n", r.IdleRSS)
	fmt.Printf("session create        %.0f a second, %.0f us CPU each\n", r.CreatePerSecond, r.CreateMicros)
	fmt.Printf("RSS after %d sessions  %.0f MB (%.0f MB more than before)\n", r.Sessions, r.RSSAfterSessions, r.RSSAfterSessions-r.RSSBeforeSessions)
}
