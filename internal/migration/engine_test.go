package migration_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// cloud is a stub with one server and an engine on it, at real intervals in
// the virtual time of testing/synctest.
type cloud struct {
	*stub.Stub
	engine *migration.Engine
	server string
}

func newCloud(t *testing.T, config stub.Config, server stub.Server) *cloud {
	t.Helper()
	c := &cloud{Stub: stub.New(config)}
	c.server = c.AddServer(server)
	c.engine = c.newEngine(t, stub.DefaultUser)
	return c
}

// newEngine is an engine of a user, which is another run of Terraform.
func (c *cloud) newEngine(t *testing.T, user stub.User) *migration.Engine {
	t.Helper()
	return c.configuredEngine(t, user, cloudservers.Config{MaxRetries: 2}, migration.Limits{})
}

func (c *cloud) limitedEngine(t *testing.T, limits migration.Limits) *migration.Engine {
	t.Helper()
	return c.configuredEngine(t, stub.DefaultUser, cloudservers.Config{MaxRetries: 2}, limits)
}

// pacedEngine is an engine that may send so many requests a minute to migrate, confirm
// and revert.
func (c *cloud) pacedEngine(t *testing.T, writes int, limits migration.Limits) *migration.Engine {
	t.Helper()
	return c.configuredEngine(t, stub.DefaultUser, cloudservers.Config{Rates: cloudservers.Rates{Write: writes}, MaxRetries: 2}, limits)
}

func (c *cloud) configuredEngine(t *testing.T, user stub.User, config cloudservers.Config, limits migration.Limits) *migration.Engine {
	t.Helper()
	config.IdentityEndpoint, config.Transport = stub.URL+"/v2.0/", c.Transport()
	config.Credentials = cloudservers.Credentials{Username: user.Name, APIKey: user.APIKey}
	client, err := cloudservers.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return migration.New(client, limits, migration.ConfirmationWindow)
}

func (c *cloud) migrate(ctx context.Context, autoConfirm bool) (migration.Migration, error) {
	return c.engine.Migrate(ctx, migration.Request{ServerID: c.server, AutoConfirm: autoConfirm})
}

// confirm confirms without a test.
func (c *cloud) confirm(ctx context.Context, m migration.Migration) (migration.Migration, error) {
	return c.engine.Confirm(ctx, m, nil)
}

// hostID is where the server is now.
func (c *cloud) hostID(t *testing.T) string {
	t.Helper()
	server, ok := c.Server(c.server)
	if !ok {
		t.Fatalf("server %s does not exist", c.server)
	}
	return server.HostID
}

// calls lists what was sent since the cloud began, in order.
func (c *cloud) calls() []stub.Call {
	var calls []stub.Call
	for _, request := range c.Requests() {
		calls = append(calls, request.Call)
	}
	return calls
}

func wantKind(t *testing.T, err error, want migration.Kind) migration.Error {
	t.Helper()
	var failure *migration.Error
	if !errors.As(err, &failure) {
		t.Fatalf("got error %v, want one of kind %q", err, want)
	}
	if failure.Kind != want {
		t.Fatalf("got error of kind %q (%v), want %q", failure.Kind, err, want)
	}
	return *failure
}

func wantStatus(t *testing.T, got migration.Migration, err error, want migration.Status) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	if got.Status != want {
		t.Fatalf("got status %q, want %q", got.Status, want)
	}
}

func (c *cloud) wantMigrations(t *testing.T, want int) {
	t.Helper()
	if got := c.Migrations(c.server); got != want {
		t.Errorf("got %d migrations of the server, want %d", got, want)
	}
}

func (c *cloud) wantSent(t *testing.T, call stub.Call, want int) {
	t.Helper()
	if got := c.Count(call); got != want {
		t.Errorf("got %d %s requests, want %d", got, call, want)
	}
}

func TestMigrate_leavesTheMigrationAwaitingConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{Name: "web-1"})
		before, asked := c.hostID(t), time.Now()

		got, err := c.migrate(t.Context(), false)

		wantStatus(t, got, err, migration.StatusAwaiting)
		want := migration.Migration{
			Region: "ORD", ServerID: c.server, ServerName: "web-1",
			RequestID: c.ActionLog(c.server)[0].RequestID,
			Status:    migration.StatusAwaiting, ServerStatus: cloudservers.StatusVerifyResize,
			SourceHostID: before, DestinationHostID: c.hostID(t), FlavorID: "general1-1", LaunchedAt: got.LaunchedAt,
			RequestedAt: asked.UTC(), AwaitingSince: asked.Add(7 * time.Second).UTC(), SeenAt: got.SeenAt, ConfirmWindow: migration.ConfirmationWindow,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("migration (-want +got):\n%s", diff)
		}
		if got, want := got.ConfirmBy(), asked.Add(24*time.Hour+7*time.Second); !got.Equal(want) {
			t.Errorf("got confirm by %s, want %s", got, want)
		}
		// 7.2 s of migration at a look every 2 s.
		if diff := cmp.Diff([]stub.Call{
			stub.CallToken, stub.CallActionLog, stub.CallServer, stub.CallMigrate,
			stub.CallServer, stub.CallServer, stub.CallServer, stub.CallServer,
			stub.CallActionLog, stub.CallServer,
		}, c.calls()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if got, want := time.Since(asked), 8*time.Second; got != want {
			t.Errorf("took %s, want %s", got, want)
		}
	})
}

func TestMigrate_confirmsOnceAndWaitsThroughTheStaleRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.ConfirmStale = 5 * time.Second
		c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})

		got, err := c.migrate(t.Context(), true)

		wantStatus(t, got, err, migration.StatusConfirmed)
		if got.ServerStatus != cloudservers.StatusActive || got.SettledAt.IsZero() || !got.ConfirmBy().IsZero() {
			t.Errorf("got %+v, want an ACTIVE server, settled, with no deadline", got)
		}
		c.wantSent(t, stub.CallConfirm, 1)
		c.wantSent(t, stub.CallActionLog, 2) // before the migrate and before the confirm
	})
}

func TestMigrate_bringsAStoppedServerBackToShutoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{Status: cloudservers.StatusShutoff})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if got.ServerStatus != cloudservers.StatusShutoff {
			t.Errorf("got server status %s, want SHUTOFF", got.ServerStatus)
		}
	})
}

func TestMigrate_refusesBeforeAnythingIsSent(t *testing.T) {
	tests := []struct {
		name   string
		server stub.Server
		before func(*cloud) error
		want   migration.Kind
	}{
		{"OnMetal", stub.Server{FlavorID: "onmetal-io1"}, nil, migration.KindOnMetal},
		{"in ERROR", stub.Server{Status: "ERROR"}, nil, migration.KindStatus},
		{"being built", stub.Server{Status: "BUILD"}, nil, migration.KindStatus},
		{"rescued", stub.Server{Status: "RESCUE"}, nil, migration.KindStatus},
		{"in a status nobody knows", stub.Server{Status: "TELEPORTING"}, nil, migration.KindStatus},
		{"unknown", stub.Server{}, func(c *cloud) error { c.server = "4d6f7665-0000-4000-8000-000000000000"; return nil }, migration.KindNotFound},
		{"being migrated by somebody", stub.Server{}, func(c *cloud) error { return c.Migrate(c.server, "somebody") }, migration.KindPending},
		{"awaiting the confirmation of a resize", stub.Server{}, func(c *cloud) error {
			err := c.Resize(c.server, "somebody")
			time.Sleep(time.Minute)
			return err
		}, migration.KindPending},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, test.server)
				if test.before != nil {
					if err := test.before(c); err != nil {
						t.Fatal(err)
					}
				}
				_, err := c.migrate(t.Context(), true)
				failure := wantKind(t, err, test.want)
				c.wantSent(t, stub.CallMigrate, 0)
				c.wantSent(t, stub.CallConfirm, 0)
				if test.want == migration.KindPending && (failure.Pending == nil || failure.Pending.UserID != "somebody") {
					t.Errorf("got pending %+v, want somebody's action", failure.Pending)
				}
			})
		})
	}
}

func TestMigrate_callsNoFailedMoveASuccess(t *testing.T) {
	tests := []struct {
		name   string
		server stub.Server
		fault  string
	}{
		{"no host has room, silently", stub.Server{Outcome: stub.OutcomeNoValidHost}, ""},
		{"no host has room for a stopped server", stub.Server{Outcome: stub.OutcomeNoValidHost, Status: cloudservers.StatusShutoff}, ""},
		{"no host has room, and host ids are hidden", stub.Server{Outcome: stub.OutcomeNoValidHost, NoHostID: true}, ""},
		{"the hypervisor fails", stub.Server{Outcome: stub.OutcomeFails}, "RuntimeError"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, test.server)
				got, err := c.migrate(t.Context(), true)
				failure := wantKind(t, err, migration.KindFailed)
				if got.Status != migration.StatusFailed {
					t.Errorf("got status %q, want failed", got.Status)
				}
				if fault := failure.Server.Fault; test.fault != "" && (fault == nil || fault.Message != test.fault) {
					t.Errorf("got fault %+v, want %s", fault, test.fault)
				}
				c.wantSent(t, stub.CallMigrate, 1)
				c.wantSent(t, stub.CallConfirm, 0)
			})
		})
	}
}

func TestMigrate_callsAServerThatStaysOnItsHostAFailureWhateverTheLogSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		_, err := c.migrate(t.Context(), true)
		wantKind(t, err, migration.KindFailed)
		// Five looks prove it. Each reads the server once, and one more read is a poll.
		c.wantSent(t, stub.CallServer, 1+6)
	})
}

func TestMigrate_takesAnAutomaticConfirmForASuccess(t *testing.T) {
	for _, autoConfirm := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{AutoConfirmAfter: 100 * time.Millisecond}, stub.Server{})
			got, err := c.migrate(t.Context(), autoConfirm)
			wantStatus(t, got, err, migration.StatusConfirmed)
			if got.DestinationHostID == got.SourceHostID {
				t.Errorf("got destination %s, the source", got.DestinationHostID)
			}
			c.wantSent(t, stub.CallConfirm, 0)
		})
	}
}

func TestMigrate_takesTheLogsWordWhereHostIDsAreHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{AutoConfirmAfter: 100 * time.Millisecond}, stub.Server{NoHostID: true})
		got, err := c.migrate(t.Context(), false)
		wantStatus(t, got, err, migration.StatusConfirmed)
	})
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{NoHostID: true})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallConfirm, 1)
	})
}

func TestMigrate_waitsThroughStatusesThatNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{
			NoProgress:  true,
			StatusWords: map[string]string{cloudservers.StatusResize: "TELEPORTING"},
		})
		got, err := c.migrate(t.Context(), false)
		wantStatus(t, got, err, migration.StatusAwaiting)
	})
}

func TestMigrate_tellsWhatOthersDidMeanwhile(t *testing.T) {
	tests := []struct {
		name string
		done func(*cloud) error
		want migration.Kind
	}{
		{"deleted", func(c *cloud) error { return c.Delete(c.server) }, migration.KindGone},
		{"reverted", func(c *cloud) error { return c.Revert(c.server, "somebody") }, migration.KindReverted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				// Between two looks: the server awaits confirmation from 7.2 s on.
				time.AfterFunc(7300*time.Millisecond, func() {
					if err := test.done(c); err != nil {
						t.Error(err)
					}
				})
				got, err := c.migrate(t.Context(), false)
				wantKind(t, err, test.want)
				if test.want == migration.KindReverted && (got.Status != migration.StatusReverted || got.SettledBy != "somebody") {
					t.Errorf("got %+v, want it reverted by somebody", got)
				}
			})
		})
	}
}

func TestMigrate_waitsUntilABusyServerIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{TaskState: "image_snapshot"})
		time.AfterFunc(61*time.Second, func() {
			c.SetServer(c.server, func(s *stub.Server) { s.TaskState = "" })
		})
		got, err := c.migrate(t.Context(), false)
		wantStatus(t, got, err, migration.StatusAwaiting)
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

func TestMigrate_stopsWithinASecondAndSaysThatTheMigrationGoesOn(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(3*time.Second, cancel)
			began := time.Now()
			got, err := c.migrate(ctx, true)
			if failure := wantKind(t, err, migration.KindInterrupted); failure.TimedOut() {
				t.Error("a cancelled wait says that it timed out")
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("took %s to stop, want less than a second", took-3*time.Second)
			}
			if got.RequestID == "" || got.Status != migration.StatusMigrating {
				t.Errorf("got %+v, want a migration under way with its request id", got)
			}
		})
	})
	t.Run("cancelled while no answers come", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallServer, Skip: 1, Hang: true})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Hour, cancel)
			_, err := c.migrate(ctx, true)
			if failure := wantKind(t, err, migration.KindInterrupted); failure.TimedOut() {
				t.Error("a cancelled wait says that it timed out, because the look before it did")
			}
		})
	})
	t.Run("timed out in an answer that does not come", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallServer, Skip: 1, Hang: true})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := c.migrate(ctx, true)
			if failure := wantKind(t, err, migration.KindInterrupted); !failure.TimedOut() {
				t.Error("a wait that timed out does not say so")
			}
		})
	})
}

func TestMigrate_waitsThroughAnAPIThatIsAway(t *testing.T) {
	faults := map[string]stub.Fault{
		"503":                     {Status: http.StatusServiceUnavailable},
		"a proxy's page":          stub.HTML(http.StatusBadGateway),
		"torn connections":        {Reset: true},
		"half answers":            {Truncate: true},
		"no answers":              {Hang: true},
		"a single 404":            {Status: http.StatusNotFound, Count: 1},
		"the rate limit":          {Status: http.StatusRequestEntityTooLarge, Count: 3, RetryAfter: 20 * time.Second},
		"the newer rate limit":    {Status: http.StatusTooManyRequests, Count: 3, RetryAfter: 20 * time.Second},
		"JSON of another shape":   {Status: http.StatusOK, Body: `{"server": [1, 2]}`, Count: 5},
		"an answer about nothing": {Status: http.StatusOK, Body: `{}`, Count: 5},
		"no body":                 {Status: http.StatusOK, Body: " ", Count: 5},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				fault.Call, fault.Skip = stub.CallServer, 2
				c.Inject(fault)
				time.AfterFunc(10*time.Minute, c.ClearFaults)
				got, err := c.migrate(t.Context(), true)
				wantStatus(t, got, err, migration.StatusConfirmed)
				c.wantMigrations(t, 1)
			})
		})
	}
}

func TestMigrate_goesOnWithANewTokenWhenTheOldOneEnds(t *testing.T) {
	t.Run("revoked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			time.AfterFunc(3*time.Second, c.RevokeTokens)
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantSent(t, stub.CallToken, 2)
		})
	})
	t.Run("expired", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{TokenLifetime: 3 * time.Second}, stub.Server{})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantMigrations(t, 1)
		})
	})
}

func TestMigrate_endsWhenTheAPIRefusesToTellAboutTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallServer, Skip: 1, Status: http.StatusForbidden})
		_, err := c.migrate(t.Context(), true)
		wantKind(t, err, migration.KindWait)
		c.wantMigrations(t, 1)
	})
}

func TestMigrate_claimsNothingWhereNeitherHostsNorLogCanTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{AutoConfirmAfter: 100 * time.Millisecond}, stub.Server{NoHostID: true})
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		_, err := c.migrate(t.Context(), false)
		wantKind(t, err, migration.KindWait)
	})
}
