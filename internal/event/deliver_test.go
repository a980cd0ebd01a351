package event_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestEventsAreDeliveredAtOnceToThoseWhoWantThem(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.subscribe("all.test")
		w.subscribe("acme.test", func(c *event.SubscriptionChange) { c.Filter.Toolkits = []string{"ACME"} })
		w.subscribe("other.test", func(c *event.SubscriptionChange) { c.Filter.UserIDs = []string{"user_8"} })
		disabled := event.Disabled
		w.subscribe("off.test", func(c *event.SubscriptionChange) { c.Status = &disabled })
		e := w.happen("e", 1)[0]
		pass(time.Second)
		for host, want := range map[string]int{"all.test": 1, "acme.test": 1, "other.test": 0, "off.test": 0} {
			got := w.got(host)
			if len(got) != want || want > 0 && got[0].id != e.ID {
				t.Errorf("%s got %v", host, got)
			}
		}
	})
}

func TestAFailedDeliveryIsTriedAgainUntilItIsTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var n atomic.Int32
		w.receive("a.test", func(r *http.Request) *http.Response {
			switch n.Add(1) {
			case 1:
				return answering(http.StatusInternalServerError)(r)
			case 2:
				return nil // no answer at all
			case 3:
				return answering(http.StatusFound, "Location", "https://b.test/")(r) // not followed
			default:
				return answering(http.StatusOK)(r)
			}
		})
		sub := w.subscribe("a.test")
		e := w.happen("e", 1)[0]
		pass(2 * time.Minute)
		got := w.got("a.test")
		if len(got) != 4 || len(w.got("b.test")) != 0 {
			t.Fatalf("%d attempts", len(got))
		}
		for i, least := range []time.Duration{4 * time.Second, 15*time.Second + 8*time.Second, 16 * time.Second} {
			if pause := got[i+1].at.Sub(got[i].at); pause < least || pause > 2*least {
				t.Errorf("attempt %d came %s after the one before", i+2, pause)
			}
		}
		for _, r := range got {
			if r.id != e.ID || r.body != got[0].body {
				t.Errorf("an attempt sent another event: %s %s", r.id, r.body)
			}
		}
		log := w.deliveries(sub, "")
		if len(log) != 1 || log[0].Status != event.Delivered || log[0].Attempts != 4 || log[0].Response != 200 || log[0].Error != "" {
			t.Errorf("log %+v", log)
		}
		pass(48 * time.Hour)
		if len(w.got("a.test")) != 4 {
			t.Error("a delivered event was sent again")
		}
	})
}

func TestAfterADayADeliveryIsGivenUpAndCanBeReplayed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("a.test", answering(http.StatusBadGateway))
		sub := w.subscribe("a.test")
		began := time.Now()
		e := w.happen("e", 1)[0]
		pass(22 * time.Hour) // the last attempt is made after 24 hours less a pause, at the earliest
		if pending := w.deliveries(sub, event.Pending); len(pending) != 1 {
			t.Fatalf("after 22 hours %v are pending", pending)
		}
		pass(3 * time.Hour)
		attempts := w.got("a.test")
		if last := attempts[len(attempts)-1].at.Sub(began); last < 22*time.Hour || last > 24*time.Hour {
			t.Errorf("the last attempt was after %s", last)
		}
		dead := w.deliveries(sub, event.Dead)
		if len(dead) != 1 || dead[0].EventID != e.ID || !strings.Contains(dead[0].Error, "502") {
			t.Fatalf("dead: %+v", dead)
		}
		pass(24 * time.Hour)
		if again := w.got("a.test"); len(again) != len(attempts) {
			t.Errorf("%d attempts after it was given up", len(again)-len(attempts))
		}
		w.receive("a.test", answering(http.StatusOK))
		done, err := w.Replay(t.Context(), caller, sub.ID, event.Replay{From: began, DeadOnly: true})
		must(t, err)
		pass(2 * time.Minute)
		if log := w.deliveries(sub, event.Delivered); done.Count != 1 || len(log) != 1 || log[0].Attempts != 1 {
			t.Errorf("replayed %d: %+v", done.Count, log)
		}
	})
}

func TestAReceiverMayAskForTime(t *testing.T) {
	for name, header := range map[string]func() string{
		"seconds": func() string { return "600" },
		"a date":  func() string { return time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.receive("a.test", func(r *http.Request) *http.Response {
					return answering(http.StatusTooManyRequests, "Retry-After", header())(r)
				})
				sub := w.subscribe("a.test")
				w.happen("e", 1)
				pass(time.Second)
				w.receive("a.test", answering(http.StatusOK))
				w.happen("f", 5)
				pass(9 * time.Minute)
				if got := w.got("a.test"); len(got) != 1 {
					t.Fatalf("%d attempts in the ten minutes", len(got))
				}
				pass(2 * time.Minute)
				if log := w.deliveries(sub, event.Delivered); len(log) != 6 {
					t.Errorf("%d were delivered", len(log))
				}
			})
		})
	}
}

func TestAReceiverThatIsGoneIsDisabled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("a.test", answering(http.StatusGone))
		sub := w.subscribe("a.test")
		w.happen("e", 1)
		pass(time.Second)
		w.happen("f", 1)
		pass(time.Hour)
		now, err := w.Subscription(t.Context(), caller, sub.ID)
		must(t, err)
		if got := w.got("a.test"); len(got) != 1 || now.Status != event.Disabled || !strings.Contains(now.DisabledReason, "410") {
			t.Fatalf("%d attempts; %s: %s", len(got), now.Status, now.DisabledReason)
		}
		enabled := event.Enabled
		now, err = w.UpdateSubscription(t.Context(), caller, sub.ID, event.SubscriptionChange{Status: &enabled})
		must(t, err)
		w.receive("a.test", answering(http.StatusOK))
		w.happen("g", 1)
		pass(time.Second)
		if got := w.got("a.test"); len(got) != 2 || now.Failures != 0 || now.DisabledReason != "" {
			t.Errorf("after enabling: %d attempts, %+v", len(got), now)
		}
	})
}

func TestAReceiverThatIsDownIsLeftAloneAndFoundAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("down.test", answering(http.StatusServiceUnavailable))
		down := w.subscribe("down.test")
		up := w.subscribe("up.test")
		w.happen("e", 300)
		pass(time.Second)
		if log, _, err := w.ListDeliveries(t.Context(), caller, up.ID, event.DeliveryFilter{Status: event.Delivered}); err != nil || len(log) != 300 {
			t.Errorf("the other receiver has %d: %v", len(log), err)
		}
		pass(time.Hour)
		if n := len(w.got("down.test")); n < 60 || n > 120 {
			t.Errorf("%d attempts in an hour", n)
		}
		w.receive("down.test", answering(http.StatusOK))
		pass(time.Minute + 15*time.Second)
		back, err := w.Subscription(t.Context(), caller, down.ID)
		must(t, err)
		if back.Failures != 0 || !back.PausedUntil.IsZero() {
			t.Errorf("it is up again, but %+v", back)
		}
		pass(time.Hour) // those that were attempted wait for their next turn
		if log, _, err := w.ListDeliveries(t.Context(), caller, down.ID, event.DeliveryFilter{Status: event.Delivered}); err != nil || len(log) != 300 {
			t.Errorf("%d of 300 delivered: %v", len(log), err)
		}
	})
}

func TestWhatIsPendingForADayIsGivenUpTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("a.test", answering(http.StatusInternalServerError))
		sub := w.subscribe("a.test")
		w.happen("e", 700)
		pass(time.Minute)
		w.Stop()
		pass(25 * time.Hour)
		other := w.node("node_2")
		other.Start()
		t.Cleanup(other.Stop)
		pass(2 * time.Minute)
		_, page, err := w.ListDeliveries(t.Context(), caller, sub.ID, event.DeliveryFilter{Status: event.Dead, Limit: 1})
		must(t, err)
		if page.Total != 700 {
			t.Errorf("%d are given up", page.Total)
		}
	})
}

func TestANewAddressIsTriedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("old.test", answering(http.StatusInternalServerError))
		sub := w.subscribe("old.test")
		w.happen("e", 50)
		pass(10 * time.Second)
		url := "https://new.test/"
		_, err := w.UpdateSubscription(t.Context(), caller, sub.ID, event.SubscriptionChange{URL: &url})
		must(t, err)
		pass(time.Second)
		if n := len(w.got("new.test")); n < 30 {
			t.Errorf("%d at the new address", n)
		}
	})
}

func TestWorkOfAKilledNodeResumesWithinAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Stop()
		w.subscribe("a.test")
		e := w.happen("e", 3)
		now := time.Now()
		claimed, err := w.store.ClaimSubscriptions(t.Context(), "node_killed", now, now.Add(30*time.Second), 10)
		must(t, err)
		if len(claimed) != 1 {
			t.Fatalf("claimed %v", claimed)
		}
		other := w.node("node_2")
		other.Start()
		t.Cleanup(other.Stop)
		pass(29 * time.Second)
		if got := w.got("a.test"); len(got) != 0 {
			t.Fatal("the lease was not respected")
		}
		pass(31 * time.Second)
		if got := w.got("a.test"); len(got) != len(e) {
			t.Errorf("%d of %d delivered", len(got), len(e))
		}
	})
}

func TestAnAttemptThatIsCutOffIsMadeAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("a.test", func(*http.Request) *http.Response { return nil })
		sub := w.subscribe("a.test")
		e := w.happen("e", 1)[0]
		pass(time.Second)
		w.Stop()
		w.receive("a.test", answering(http.StatusOK))
		other := w.node("node_2")
		other.Start()
		t.Cleanup(other.Stop)
		pass(time.Second)
		if got := w.got("a.test"); len(got) != 2 || got[0].id != e.ID || got[1].id != e.ID {
			t.Errorf("received %v", got)
		}
		if log := w.deliveries(sub, event.Delivered); len(log) != 1 || log[0].Attempts != 1 {
			t.Errorf("log %+v", log)
		}
	})
}

func TestTwoNodesDoNotDeliverTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		other := w.node("node_2")
		other.Start()
		t.Cleanup(other.Stop)
		for range 5 {
			w.subscribe("a.test")
		}
		w.happen("e", 200)
		pass(time.Minute)
		if n := len(w.got("a.test")); n != 1000 {
			t.Errorf("%d deliveries of 200 events to 5 subscriptions", n)
		}
	})
}

func TestBothSecretsSignForADay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		before := w.subscribe("a.test")
		after, err := w.RotateSecret(t.Context(), caller, before.ID)
		must(t, err)
		signed := func(prefix string) (withOld, withNew bool) {
			w.happen(prefix, 1)
			pass(time.Second)
			got := w.got("a.test")
			r := got[len(got)-1]
			verifies := func(s secret.Value) bool {
				want := event.Sign([]secret.Value{s}, r.id, r.at, []byte(r.body))
				return strings.Contains(r.header.Get("webhook-signature"), want)
			}
			return verifies(before.Secret), verifies(after.Secret)
		}
		if withOld, withNew := signed("e"); !withOld || !withNew {
			t.Errorf("at first: old %t, new %t", withOld, withNew)
		}
		pass(24 * time.Hour)
		if withOld, withNew := signed("f"); withOld || !withNew {
			t.Errorf("after a day: old %t, new %t", withOld, withNew)
		}
	})
}

func TestADeletedSubscriptionGetsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.receive("a.test", answering(http.StatusInternalServerError))
		sub := w.subscribe("a.test")
		w.happen("e", 1)
		pass(time.Second)
		must(t, w.DeleteSubscription(t.Context(), caller, sub.ID))
		w.happen("f", 1)
		pass(time.Hour)
		if n := len(w.got("a.test")); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

func TestLagTellsThatDeliveriesStandStill(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var blocked atomic.Bool
		blocked.Store(true)
		release := make(chan struct{})
		w.receive("a.test", func(r *http.Request) *http.Response {
			if blocked.Load() {
				<-release
			}
			return answering(http.StatusOK)(r)
		})
		busy, err := event.New(event.Options{Store: w.store, HTTP: w, Bus: w.bus, Workers: 1})
		must(t, err)
		w.Stop()
		w.subscribe("a.test")
		w.happen("e", 1)
		busy.Start()
		t.Cleanup(busy.Stop)
		pass(time.Second)
		w.subscribe("b.test")
		w.happen("f", 1)
		pass(10 * time.Second)
		if lag := busy.Lag(); lag < 9*time.Second {
			t.Errorf("lag %s while the only worker is stuck", lag)
		}
		blocked.Store(false)
		close(release)
		pass(10 * time.Second)
		if lag := busy.Lag(); lag != 0 || len(w.got("b.test")) != 1 {
			t.Errorf("lag %s afterwards", lag)
		}
	})
}
