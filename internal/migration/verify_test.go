package migration_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// tested is a request whose server has to answer on both of its ports.
func (c *cloud) tested(revert bool) migration.Request {
	return migration.Request{ServerID: c.server, AutoConfirm: true, Verification: c.test(revert)}
}

func (c *cloud) test(revert bool) *migration.Verification {
	return &migration.Verification{Revert: revert, Plan: verification.Plan{
		HTTP:      []verification.HTTP{{URL: "http://:8080/", BodyContains: "ok"}},
		SSHBanner: []verification.SSHBanner{{Port: stub.PortSSH}},
		Interval:  verification.DefaultInterval, Timeout: verification.DefaultTimeout, Successes: verification.DefaultSuccesses,
		Dial: c.Dial,
	}}
}

// failsAfterMove is a server that fails its tests on each host but its first one.
func failsAfterMove(health stub.Health) stub.Server {
	return stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(health)}
}

func TestVerify_confirmsAServerThatPasses(t *testing.T) {
	healths := map[string]func(stub.Visit) stub.Health{
		"healthy": nil,
		"slow to boot": func(v stub.Visit) stub.Health {
			if !v.Home && v.Since < 3*time.Minute {
				return stub.Closed
			}
			return stub.Healthy
		},
		"flapping at first": func(v stub.Visit) stub.Health {
			if v.Attempt < 20 && v.Attempt%4 < 2 {
				return stub.Dropped
			}
			return stub.Healthy
		},
	}
	for name, health := range healths {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{AccessIPv4: "192.0.2.11", Health: health})
				got, err := c.engine.Migrate(t.Context(), c.tested(false))
				wantStatus(t, got, err, migration.StatusConfirmed)
				if got.VerificationResult == nil || !got.VerificationResult.Passed || len(got.VerificationResult.Checks) != 2 {
					t.Errorf("got verification %+v, want both checks passed", got.VerificationResult)
				}
				c.wantSent(t, stub.CallConfirm, 1)
			})
		})
	}
}

func TestVerify_neverConfirmsAServerThatDoesNotPass(t *testing.T) {
	for name, health := range map[string]stub.Health{"closed": stub.Closed, "silent": stub.Silent, "dropped": stub.Dropped, "wrong": stub.Wrong} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsAfterMove(health))
				got, err := c.engine.Migrate(t.Context(), c.tested(false))
				wantKind(t, err, migration.KindUnverified)
				if got.Status != migration.StatusAwaiting || got.VerificationResult == nil || len(got.VerificationResult.Failed()) != 2 {
					t.Errorf("got %+v, want it awaiting, with two failed checks", got)
				}
				c.wantSent(t, stub.CallConfirm, 0)
				c.wantSent(t, stub.CallRevert, 0)
			})
		})
	}
}

func TestVerify_goesOnWithAServerThatHasHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		_, err := c.engine.Migrate(t.Context(), c.tested(false))
		failed := wantKind(t, err, migration.KindUnverified)
		c.SetServer(c.server, func(s *stub.Server) { s.Health = nil })
		c.engine = c.newEngine(t, stub.DefaultUser) // another run
		got, err := c.engine.Migrate(t.Context(), c.tested(false))
		wantStatus(t, got, err, migration.StatusConfirmed)
		if !got.Adopted || got.RequestID != failed.Migration.RequestID {
			t.Errorf("got %+v, want the same migration", got)
		}
		c.wantMigrations(t, 1)
	})
}

func TestVerify_rollsBackWhereThatIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		home := c.hostID(t)
		got, err := c.engine.Migrate(t.Context(), c.tested(true))
		wantKind(t, err, migration.KindRolledBack)
		if got.Status != migration.StatusReverted || c.hostID(t) != home {
			t.Errorf("got %q on host %s, want it reverted to %s", got.Status, c.hostID(t), home)
		}
		c.wantSent(t, stub.CallConfirm, 0)
		c.wantSent(t, stub.CallRevert, 1)
	})
}

func TestVerify_saysWhyItCouldNotRollBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		c.Inject(stub.Fault{Call: stub.CallRevert, Status: http.StatusForbidden})
		got, err := c.engine.Migrate(t.Context(), c.tested(true))
		wantKind(t, err, migration.KindUnsettled)
		if got.VerificationResult == nil || got.VerificationResult.Passed || got.Status != migration.StatusAwaiting {
			t.Errorf("got %+v, want it awaiting, with the failed test", got)
		}
	})
}

func TestVerify_confirmsNothingWhenItIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Silent))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(61*time.Second, cancel)
		began := time.Now()
		got, err := c.engine.Migrate(ctx, c.tested(true))
		if failure := wantKind(t, err, migration.KindTesting); failure.TimedOut() {
			t.Errorf("got %v, want a cancellation", err)
		}
		if took := time.Since(began); took > 62*time.Second {
			t.Errorf("took %s, want a second after the cancel at most", took)
		}
		if got.Status != migration.StatusAwaiting {
			t.Errorf("got status %q, want it awaiting", got.Status)
		}
		c.wantSent(t, stub.CallConfirm, 0)
		c.wantSent(t, stub.CallRevert, 0)

		request := c.tested(false)
		request.Timeout = 61 * time.Second
		c.engine = c.newEngine(t, stub.DefaultUser)
		_, err = c.engine.Migrate(t.Context(), request)
		if failure := wantKind(t, err, migration.KindTesting); !failure.TimedOut() {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}

func TestVerify_leavesAloneWhatSomebodyDidMeanwhile(t *testing.T) {
	again := func(t *testing.T, steps ...func() error) func() {
		return func() {
			for _, step := range steps {
				if err := step(); err != nil {
					t.Error(err)
				}
				time.Sleep(20 * time.Second)
			}
		}
	}
	healthy := stub.Server{AccessIPv4: "192.0.2.11", Health: func(v stub.Visit) stub.Health {
		if v.Attempt < 40 {
			return stub.Wrong
		}
		return stub.Healthy
	}}
	t.Run("reverted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, healthy)
			time.AfterFunc(31*time.Second, again(t, func() error { return c.Revert(c.server, "user-7") }))
			_, err := c.engine.Migrate(t.Context(), c.tested(false))
			wantKind(t, err, migration.KindReverted)
			c.wantSent(t, stub.CallConfirm, 0)
			time.Sleep(time.Minute) // until somebody has finished
		})
	})
	t.Run("confirmed and migrated again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, healthy)
			time.AfterFunc(31*time.Second, again(t,
				func() error { return c.Confirm(c.server, "user-7") },
				func() error { return c.Migrate(c.server, "user-7") }))
			got, err := c.engine.Migrate(t.Context(), c.tested(false))
			// The server that passed is the one that somebody moved.
			if wantKind(t, err, migration.KindUntested); got.Status != migration.StatusConfirmed {
				t.Errorf("got status %s, want confirmed", got.Status)
			}
			c.wantSent(t, stub.CallConfirm, 0)
			time.Sleep(time.Minute)
		})
	})
	t.Run("reverted and resized, while it is sick", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
			time.AfterFunc(31*time.Second, again(t,
				func() error { return c.Revert(c.server, "user-7") },
				func() error { return c.Resize(c.server, "user-7") }))
			_, err := c.engine.Migrate(t.Context(), c.tested(true))
			wantKind(t, err, migration.KindReverted)
			c.wantSent(t, stub.CallRevert, 0)
			c.wantSent(t, stub.CallConfirm, 0)
			time.Sleep(time.Minute)
		})
	})
}

func TestConfirm_testsTheServerFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		awaiting, err := c.migrate(t.Context(), false)
		wantStatus(t, awaiting, err, migration.StatusAwaiting)
		got, err := c.engine.Confirm(t.Context(), awaiting, c.test(false))
		wantKind(t, err, migration.KindUnverified)
		if got.VerificationResult == nil {
			t.Error("got no verification")
		}
		c.SetServer(c.server, func(s *stub.Server) { s.Health = nil })
		got, err = c.engine.Confirm(t.Context(), awaiting, c.test(false))
		wantStatus(t, got, err, migration.StatusConfirmed)
		if !got.VerificationResult.Passed {
			t.Errorf("got %+v, want it passed", got.VerificationResult)
		}
	})
}
