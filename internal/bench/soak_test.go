package bench

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// isGiven tells whether the command line has a flag.
func isGiven(name string) bool {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// TestSoak runs random commands on fleets: operations of the engine, faults, and actions of
// other operators. After each command it checks the rules that README.md lists. rapid makes
// a failing run as short as possible. It is then printed as a story, which is a list of
// commands that TestStories can run.
func TestSoak(t *testing.T) {
	if !isGiven("rapid.checks") && !isGiven("rapid.seed") { // the same fleets each time, so that nothing fails by chance
		if err := flag.Set("rapid.seed", "1"); err != nil {
			t.Fatal(err)
		}
	}
	// The story to print is that of the last run with a problem, because rapid makes the
	// runs shorter and shorter. If no run has a problem, it is that of the last run, which
	// may have failed because it never ended.
	var story []string
	found := false
	ends := map[string]int{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what happened:\n%s", strings.Join(story, "\n"))
			return
		}
		for _, end := range slices.Sorted(maps.Keys(ends)) {
			t.Logf("%6d %s", ends[end], end)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			d := &draws{fleet: newFleet()}
			t.Cleanup(func() {
				d.fleet.close()
				if len(d.fleet.problems) > 0 || !found {
					story, found = d.fleet.transcript(), len(d.fleet.problems) > 0
				}
			})
			d.begin(t)
			t.Repeat(rapid.StateMachineActions(d))
			d.fleet.do("finish")
			d.Check(t)
			for _, o := range d.fleet.operations {
				ends[fmt.Sprintf("%s: %s %s", o.what, o.got.Status, readable(o.err))]++
			}
		})
	})
}

// TestStories runs the stories under testdata: runs of TestSoak that failed once, and others
// that are worth keeping.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no stories (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				f := newFleet()
				defer f.close()
				for line := range strings.Lines(string(text)) {
					if command := strings.TrimRight(line, "\n"); command != "" && !strings.HasPrefix(command, " ") && !strings.HasPrefix(command, "#") {
						f.do(command)
					}
				}
				t.Logf("what happened:\n%s", strings.Join(f.transcript(), "\n"))
				for _, problem := range f.problems {
					t.Error(problem)
				}
			})
		})
	}
}

// draws is the state machine of rapid: each of its exported methods but Check draws a
// command at random, and runs it.
type draws struct {
	fleet   *fleet
	missing int // how many 404 answers were injected
}

// Check is called by rapid after each command. Its message has no ids or times, which would
// differ from run to run. So rapid can tell that two runs fail in the same way.
func (d *draws) Check(t *rapid.T) {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	if len(d.fleet.problems) > 0 {
		t.Fatal(d.fleet.problems[0])
	}
}

func oneOf[T any](t *rapid.T, label string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, label)
}

// duration draws a duration. It is not a multiple of any interval of the engine, so that no
// two events fall on the same instant.
func duration(t *rapid.T, label string, least, most time.Duration) time.Duration {
	ms := rapid.Int64Range(least.Milliseconds(), most.Milliseconds()).Draw(t, label)
	return time.Duration(ms)*time.Millisecond + 7*time.Microsecond
}

// maybe draws a word, or nothing.
func maybe(t *rapid.T, word string) string {
	if rapid.Bool().Draw(t, word) {
		return " " + word
	}
	return ""
}

func (d *draws) do(t *rapid.T, format string, args ...any) {
	if !d.fleet.do(fmt.Sprintf(format, args...)) {
		t.Skip("it does not apply")
	}
}

// begin draws the cloud and its servers.
func (d *draws) begin(t *rapid.T) {
	d.do(t, "cloud move=%s auto_confirm=%s poll=%s skew=%s writes=%d concurrent=%d",
		oneOf(t, "move", 45*time.Second, 2*time.Minute, 9*time.Minute)+137*time.Millisecond,
		oneOf(t, "auto_confirm", 24*time.Hour, -time.Second, 20*time.Second, 3*time.Minute),
		oneOf(t, "poll", 2*time.Second, 500*time.Millisecond, 20*time.Second),
		oneOf(t, "skew", 0, time.Hour, -time.Hour, 4*time.Second),
		oneOf(t, "writes", 0, 0, 10), oneOf(t, "concurrent", 0, 0, 2))
	for range oneOf(t, "servers", 1, 1, 2, 3, 5, 10) {
		d.do(t, "server%s%s", oneOf(t, "state", "", "", " stopped"), oneOf(t, "host id", "", "", "", "", " no_host_id"))
	}
}

// place is a server in a pipeline.
type place struct {
	pipeline string
	server   int
}

func (p place) String() string { return fmt.Sprintf("%s %d", p.pipeline, p.server) }

// place draws a server of a pipeline to which a command applies. If busy is set, an
// operation works on the server. Otherwise none does, and has tells whether the state has a
// migration of it.
func (d *draws) place(t *rapid.T, has, busy bool) place {
	var places []place
	for _, name := range []string{"A", "B"} {
		p := d.fleet.pipelines[name]
		for _, s := range d.fleet.servers {
			state := d.fleet.state(p, s) != nil
			if running := d.fleet.running(p, s) != nil; running == busy && (busy || state == has) {
				places = append(places, place{name, s.n})
			}
		}
	}
	if len(places) == 0 {
		t.Skip("it does not apply")
	}
	return rapid.SampledFrom(places).Draw(t, "place")
}

func (d *draws) server(t *rapid.T) int {
	return rapid.IntRange(1, len(d.fleet.servers)).Draw(t, "server")
}

func (d *draws) timeout(t *rapid.T) string {
	return oneOf(t, "timeout", "", "", "", "", " timeout=1m0.3s", " timeout=5m0.3s")
}

// The operations of the pipelines.

func (d *draws) Create(t *rapid.T) {
	where := d.place(t, false, false)
	options := oneOf(t, "confirm", "", "", " auto_confirm", " auto_confirm test", " auto_confirm test rollback", " auto_confirm test preflight",
		" test", " test rollback", " test rollback preflight")
	d.do(t, "create %s%s%s", where, options, d.timeout(t))
}

func (d *draws) Again(t *rapid.T) {
	where := d.place(t, true, false)
	on := oneOf(t, "on_destroy", "confirm", "confirm test", "confirm test rollback preflight", "revert", "revert test rollback")
	d.do(t, "again %s on_destroy=%s%s%s", where, on, maybe(t, "auto_confirm"), d.timeout(t))
}

func (d *draws) Confirm(t *rapid.T) {
	where := d.place(t, true, false)
	d.do(t, "confirm %s%s%s", where, oneOf(t, "test", "", " test", " test rollback"), d.timeout(t))
}

func (d *draws) Test(t *rapid.T) {
	where := d.place(t, true, false)
	d.do(t, "test %s test%s%s", where, maybe(t, "rollback"), d.timeout(t))
}

func (d *draws) Revert(t *rapid.T) {
	where := d.place(t, true, false)
	d.do(t, "revert %s%s", where, d.timeout(t))
}

func (d *draws) Destroy(t *rapid.T) {
	where := d.place(t, true, false)
	d.do(t, "destroy %s on_destroy=%s%s", where, oneOf(t, "on_destroy", "none", "confirm", "confirm test", "confirm test rollback", "revert"), d.timeout(t))
}

func (d *draws) Refresh(t *rapid.T) { d.do(t, "refresh %s", d.place(t, true, false)) }

func (d *draws) Cancel(t *rapid.T) { d.do(t, "cancel %s", d.place(t, false, true)) }

// Kill kills the provider's process of a pipeline that works, or lets the pipeline start
// another one.
func (d *draws) Kill(t *rapid.T) {
	d.do(t, "%s %s", oneOf(t, "how", "kill", "kill", "apply"), d.place(t, false, true).pipeline)
}

// Time.

func (d *draws) Pause(t *rapid.T) {
	d.do(t, "sleep %s", duration(t, "pause", 10*time.Millisecond, 10*time.Second))
}

func (d *draws) Wait(t *rapid.T) {
	d.do(t, "sleep %s", duration(t, "wait", 10*time.Second, 3*time.Minute))
}

// Arrive waits until about the time when a migration that begins now arrives.
func (d *draws) Arrive(t *rapid.T) {
	d.do(t, "sleep %s", d.fleet.config.move+duration(t, "after", 0, 20*time.Second)-5*time.Second)
}

func (d *draws) WaitLong(t *rapid.T) {
	d.do(t, "sleep %s", oneOf(t, "wait", 11*time.Minute, 11*time.Minute, 25*time.Hour)+7*time.Microsecond)
}

func (d *draws) ClockStep(t *rapid.T) {
	d.do(t, "advance %s", duration(t, "step", 10*time.Millisecond, 3*time.Second))
}

// The cloud, and other people.

func (d *draws) Somebody(t *rapid.T) {
	d.do(t, "somebody %d %s", d.server(t), oneOf(t, "action",
		"confirm", "revert", "migrate", "resize", "confirm_and_migrate", "revert_and_migrate", "delete"))
}

func (d *draws) SomebodyAtARequest(t *rapid.T) {
	call := oneOf(t, "call", "server", "log", "migrate", "confirm", "revert")
	action := oneOf(t, "action", "confirm", "revert", "migrate", "resize", "confirm_and_migrate", "revert_and_migrate")
	delay := ""
	if call == "server" || call == "log" {
		delay = oneOf(t, "delay", "", "", fmt.Sprint(" delay=", slowest))
	}
	d.do(t, "fault %s somebody=%s server=%d%s%s skip=%d",
		call, action, d.server(t), delay, maybe(t, "effect"), rapid.IntRange(0, 3).Draw(t, "skip"))
}

func (d *draws) Server(t *rapid.T) {
	change := oneOf(t, "change",
		"outcome %d no_valid_host", "outcome %d fails", "outcome %d finish_fails", "outcome %d interrupted", "outcome %d refused_at_once",
		"outcome %d same_host", "outcome %d moves", "source %d down", "source %d up", "confirmation %d fails",
		"confirmation %d never_ends", "confirmation %d succeeds", "health %d powered_off", "health %d unhealthy", "health %d unhealthy_at_home", "health %d late", "health %d healthy")
	d.do(t, change, d.server(t))
}

// Faults.

func (d *draws) Fault(t *rapid.T) {
	call := oneOf(t, "call", "any", "token", "server", "list", "log", "migrate", "confirm", "revert")
	kind := oneOf(t, "kind", "reset", "hang", "truncate", "page", "refuse", "revoke", "500", "503", "504", "401", "409", "413", "429", "403", "404", "delay")
	effect := ""
	switch kind {
	case "reset", "hang", "page", "500", "503", "504":
		effect = maybe(t, "effect")
	case "404":
		// Two in a row would say that the server is gone.
		if call != "log" && call != "list" {
			d.missing++
		}
		if d.missing > 1 || call == "any" {
			t.Skip("too many")
		}
	case "delay":
		kind, effect = "delay="+duration(t, "delay", 100*time.Millisecond, 8*time.Second).String(), maybe(t, "effect")
	}
	count := oneOf(t, "count", 1, 1, 2, 5)
	if kind == "404" {
		count = 1
	}
	d.do(t, "fault %s %s%s count=%d", call, kind, effect, count)
}

func (d *draws) LostWrite(t *rapid.T) {
	kind := oneOf(t, "kind", "reset", "hang", "page", "late")
	if kind == "late" {
		kind = "late=" + duration(t, "late", 100*time.Millisecond, 8*time.Second).String()
	}
	d.do(t, "fault %s %s%s", oneOf(t, "call", "migrate", "confirm", "revert"), kind, maybe(t, "effect"))
}

// OldReads injects faults that make reads old: the answer shows the cloud as it was some
// seconds ago, or comes late.
func (d *draws) OldReads(t *rapid.T) {
	kind := "lag=" + duration(t, "lag", 100*time.Millisecond, 8*time.Second).String()
	if rapid.Bool().Draw(t, "slow") {
		kind = "delay=" + duration(t, "delay", 5*time.Second, slowest).String() + " effect"
	}
	d.do(t, "fault %s %s count=%d", oneOf(t, "call", "server", "log", "list"), kind, oneOf(t, "count", 1, 2, 5))
}

func (d *draws) Outage(t *rapid.T) {
	d.do(t, "fault %s until_clear", oneOf(t, "what", "log 403", "log 403", "log 503", "list 403", "any 503", "any reset", "server garbage"))
}

func (d *draws) Clear(t *rapid.T) { d.do(t, "clear") }
