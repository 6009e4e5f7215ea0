package verification_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// outcome is what a scripted port does with a connection.
type outcome int

const (
	accepts outcome = iota
	refuses
	hangs // until the caller gives up
)

// ports are TCP ports, each with a script of what it does in each round. After the end of
// the script the port repeats the last outcome.
type ports struct {
	scripts map[string][]outcome

	mu    sync.Mutex
	tried map[string][]time.Duration // since began
	began time.Time
}

// test is a plan with a TCP check of each port, in the order of the names.
func (p *ports) test(names ...string) verification.Plan {
	p.tried, p.began = map[string][]time.Duration{}, time.Now()
	test := verification.Plan{Interval: 5 * time.Second, Timeout: time.Minute, Successes: 3, Dial: p.dial}
	for _, name := range names {
		test.TCP = append(test.TCP, verification.TCP{Host: name, Port: 80})
	}
	return test
}

func (p *ports) dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(address)
	p.mu.Lock()
	script, round := p.scripts[name], len(p.tried[name])
	p.tried[name] = append(p.tried[name], time.Since(p.began))
	p.mu.Unlock()
	switch script[min(round, len(script)-1)] {
	case refuses:
		return nil, refused()
	case hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		near, far := net.Pipe()
		_ = far.Close()
		return near, nil
	}
}

// seconds are the times of a port's tries.
func (p *ports) seconds(name string) string {
	var all []int
	for _, at := range p.tried[name] {
		all = append(all, int(at/time.Second))
	}
	return fmt.Sprint(all)
}

const wasRefused, wasLate = "the connection was refused", "no answer came in time"

func TestRun_countsRoundsInWhichAllChecksPass(t *testing.T) {
	type check struct {
		script    []outcome
		passed    bool
		lastError string
	}
	tests := []struct {
		name   string
		a, b   check
		change func(*verification.Plan)
		rounds string // the second that each begins in; the same for both checks
	}{
		{
			"a check that passed early is tried again while another one fails",
			check{[]outcome{accepts}, true, ""},
			check{[]outcome{refuses, refuses, refuses, refuses, accepts}, true, wasRefused},
			nil, "[0 5 10 15 20 25 30]",
		},
		{
			"a check that passed early and then fails has to pass again",
			check{[]outcome{accepts, accepts, accepts, refuses, accepts}, true, wasRefused},
			check{[]outcome{refuses, refuses, accepts}, true, wasRefused},
			nil, "[0 5 10 15 20 25 30]",
		},
		{
			"checks that fail in turn have both failed",
			check{[]outcome{accepts, refuses, accepts, refuses, accepts, refuses, accepts, refuses}, false, wasRefused},
			check{[]outcome{refuses, accepts, refuses, accepts, refuses, accepts, refuses, accepts}, false, wasRefused + "; then it passed in 1 round, and has to pass in 3 in a row"},
			func(p *verification.Plan) { p.Timeout = 39 * time.Second }, "[0 5 10 15 20 25 30 35]",
		},
		{
			"a check that passes in every round has passed, even if another one fails",
			check{[]outcome{accepts}, true, ""},
			check{[]outcome{refuses}, false, wasRefused},
			func(p *verification.Plan) { p.Timeout = 19 * time.Second }, "[0 5 10 15]",
		},
		{
			"a round that takes longer than the interval is followed by the next one at once",
			check{[]outcome{hangs, accepts}, true, wasLate},
			check{[]outcome{accepts}, true, ""},
			func(p *verification.Plan) { p.CheckTimeout = 7 * time.Second }, "[0 7 12 17]",
		},
		{
			"the check timeout bounds every try",
			check{[]outcome{hangs}, false, wasLate},
			check{[]outcome{accepts}, true, ""},
			func(p *verification.Plan) { p.CheckTimeout, p.Timeout = 2*time.Second, 14*time.Second }, "[0 5 10]",
		},
		{
			"the check timeout is 10 seconds by default",
			check{[]outcome{hangs}, false, wasLate},
			check{[]outcome{accepts}, false, "it passed in 2 rounds in a row, and has to pass in 3"},
			func(p *verification.Plan) { p.Timeout = 25 * time.Second }, "[0 10 20]",
		},
		{
			"the default check timeout is not longer than the timeout",
			check{[]outcome{hangs}, false, wasLate},
			check{[]outcome{accepts}, true, ""},
			func(p *verification.Plan) { p.Timeout, p.Successes = 4*time.Second, 1 }, "[0]",
		},
		{
			"a round that the timeout interrupts does not count",
			check{[]outcome{accepts, accepts, hangs}, false, "it passed in 2 rounds in a row, and has to pass in 3"},
			check{[]outcome{refuses, accepts, accepts}, false, wasRefused + "; then it passed in 1 round, and has to pass in 3 in a row"},
			func(p *verification.Plan) { p.Timeout = 12 * time.Second }, "[0 5 10]",
		},
		{
			"a round that the timeout interrupts does not hide why the round before it failed",
			check{[]outcome{refuses, hangs}, false, wasRefused},
			check{[]outcome{accepts, refuses}, false, "it passed in 1 round, and has to pass in 3 in a row"},
			func(p *verification.Plan) { p.Timeout = 7 * time.Second }, "[0 5]",
		},
		{
			"no round begins at the timeout",
			check{[]outcome{accepts}, true, ""},
			check{[]outcome{refuses, accepts}, false, wasRefused + "; then it passed in 2 rounds in a row, and has to pass in 3"},
			func(p *verification.Plan) { p.Timeout = 15 * time.Second }, "[0 5 10]",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := &ports{scripts: map[string][]outcome{"a": test.a.script, "b": test.b.script}}
				p := host.test("a", "b")
				if test.change != nil {
					test.change(&p)
				}
				got, err := p.Run(t.Context(), "")
				if err != nil || got.Passed != (test.a.passed && test.b.passed) {
					t.Fatalf("got %+v (%v)", got, err)
				}
				for i, want := range []check{test.a, test.b} {
					if c := got.Checks[i]; c.Passed != want.passed || c.LastError != want.lastError {
						t.Errorf("%s: got %+v, want passed: %t and %q", c.Target, c, want.passed, want.lastError)
					}
				}
				if a, b := host.seconds("a"), host.seconds("b"); a != test.rounds || b != test.rounds {
					t.Errorf("got rounds at %s and %s, want %s", a, b, test.rounds)
				}
			})
		})
	}
}

// TestRun_passesAfterEnoughRoundsInARow runs every possible script of two checks, and
// compares the results with a model of the rounds.
func TestRun_passesAfterEnoughRoundsInARow(t *testing.T) {
	const rounds, needed, timeout, checkTimeout, interval = 4, 2, 22, 8, 5 // the times in seconds
	outcomes := []outcome{accepts, refuses, hangs}
	for script := range 6561 { // 3 outcomes of 2 checks in 4 rounds
		var a, b []outcome
		for rest, round := script, 0; round < rounds; rest, round = rest/9, round+1 {
			a, b = append(a, outcomes[rest%3]), append(b, outcomes[rest/3%3])
		}
		var complete, inARow, tries int // complete rounds, and how many in a row have passed
		for begin, round := 0, 0; begin < timeout && inARow < needed; round++ {
			x, y := a[min(round, rounds-1)], b[min(round, rounds-1)]
			end := begin
			if x == hangs || y == hangs {
				end += checkTimeout
			}
			tries++
			switch {
			case end >= timeout: // the timeout interrupts the round
			case x == accepts && y == accepts:
				complete, inARow = complete+1, inARow+1
			default:
				complete, inARow = complete+1, 0
			}
			begin = max(begin+interval, end)
		}
		synctest.Test(t, func(t *testing.T) {
			host := &ports{scripts: map[string][]outcome{"a": a, "b": b}}
			p := host.test("a", "b")
			p.Timeout, p.CheckTimeout, p.Successes = timeout*time.Second, checkTimeout*time.Second, needed
			got, err := p.Run(t.Context(), "")
			if err != nil || got.Passed != (inARow == needed) || got.Passed != (len(got.Failed()) == 0) {
				t.Fatalf("%v, %v: got %+v (%v), want passed: %t", a, b, got, err, inARow == needed)
			}
			for i, name := range []string{"a", "b"} {
				if check := got.Checks[i]; check.Attempts != complete || len(host.tried[name]) != tries {
					t.Fatalf("%v, %v: got %d attempts at %s, want %d, and %d tries", a, b, check.Attempts, host.seconds(name), complete, tries)
				}
			}
			for _, check := range got.Failed() {
				if check.LastError == "" {
					t.Fatalf("%v, %v: got %+v, want it to say what is missing", a, b, check)
				}
			}
		})
	}
}

func TestRun_hasPassedAlthoughItsContextEndsWithTheLastRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		host := &ports{scripts: map[string][]outcome{"a": {accepts}}}
		p := host.test("a")
		dial := p.Dial
		p.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if time.Since(host.began) >= 10*time.Second {
				cancel()
			}
			return dial(ctx, network, address)
		}
		got, err := p.Run(ctx, "")
		if err != nil || !got.Passed || len(got.Failed()) > 0 {
			t.Errorf("got %+v (%v), want it passed", got, err)
		}
	})
}
