package verification

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/neterror"
)

// Result is what became of a plan.
type Result struct {
	Passed    bool
	CheckedAt time.Time // when it ended; UTC, in whole seconds
	Checks    []Check
}

// Check is what became of one check. A check that has passed is not to blame
// for a plan that has not: it passed in enough rounds in a row, up to the last
// round that was complete.
type Check struct {
	Name      string // its place in the plan: tcp[0], http[1], ssh_banner[0]
	Target    string // what was asked: an address, or a URL without its query
	Passed    bool
	Attempts  int    // how often it was tried in complete rounds
	LastError string // in plain words; empty when it has always passed, and often enough
}

// Failed are the checks that did not pass. There is at least one where the plan
// did not pass.
func (r Result) Failed() []Check {
	var failed []Check
	for _, check := range r.Checks {
		if !check.Passed {
			failed = append(failed, check)
		}
	}
	return failed
}

// errNoAddress says that a check of the server's own address has none to ask.
var errNoAddress = errors.New("the server has no address, and the check names no host")

// prober is one check, ready to be tried.
type prober struct {
	Check
	inARow int // how many rounds in a row it has passed
	try    func(ctx context.Context) error
}

// Run tests a host in rounds until enough of them in a row have passed, or the
// timeout ends. Every round tries all checks, also those that have passed
// before, each on a new connection. The error is the context's cause if that
// ended before the host had passed.
func (p Plan) Run(ctx context.Context, host string) (Result, error) {
	checks := p.probers(host)
	bounded, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	for first := true; first || !ended(bounded); first = false {
		if p.OnRound != nil {
			p.OnRound(inARow(checks))
		}
		next := time.After(p.Interval)
		p.runRound(bounded, checks, first)
		if p.havePassed(checks) {
			break
		}
		select {
		case <-next:
		case <-bounded.Done():
		}
	}
	result := p.result(checks)
	if !result.Passed && ctx.Err() != nil {
		return result, context.Cause(ctx)
	}
	return result, nil
}

// runRound tries all checks at the same time. A round that the context cuts
// short says less than the round before it, so only the first round counts then.
func (p Plan) runRound(ctx context.Context, checks []*prober, first bool) {
	errs := make([]error, len(checks))
	var all sync.WaitGroup
	var cutShort atomic.Bool
	for i, check := range checks {
		all.Go(func() {
			bounded, cancel := context.WithTimeout(ctx, p.checkTimeout())
			defer cancel()
			errs[i] = check.try(bounded)
			if errs[i] != nil && ended(ctx) {
				cutShort.Store(true)
			}
		})
	}
	all.Wait()
	if cutShort.Load() && !first {
		return
	}
	for i, check := range checks {
		check.note(ctx, errs[i])
	}
}

// note records what a try came to.
func (c *prober) note(ctx context.Context, err error) {
	c.Attempts++
	if err == nil {
		c.inARow++
		return
	}
	c.inARow, c.LastError = 0, reason(err)
	tflog.Debug(ctx, "A check of the server failed", map[string]any{
		"check": c.Name, "target": c.Target, "attempt": c.Attempts, "error": c.LastError,
	})
}

// havePassed tells whether enough rounds in a row have passed.
func (p Plan) havePassed(checks []*prober) bool { return inARow(checks) >= p.Successes }

// inARow is how many rounds in a row have passed. Each round has tried all checks,
// so the check with the fewest in a row decides.
func inARow(checks []*prober) int {
	return slices.MinFunc(checks, func(a, b *prober) int { return a.inARow - b.inARow }).inARow
}

// Targets are what the checks of a plan ask of a host, in its order.
func (p Plan) Targets(host string) []string {
	var targets []string
	for _, check := range p.probers(host) {
		targets = append(targets, check.Target)
	}
	return targets
}

// result is what became of the checks, now that no further round begins.
func (p Plan) result(checks []*prober) Result {
	result := Result{Passed: p.havePassed(checks), CheckedAt: time.Now().UTC().Truncate(time.Second)}
	for _, c := range checks {
		c.Passed = c.inARow >= p.Successes
		if !c.Passed && c.inARow > 0 {
			c.LastError = tooFew(c.LastError, c.inARow, p.Successes)
		}
		result.Checks = append(result.Checks, c.Check)
	}
	return result
}

// tooFew says that a check passed in the last rounds, but not in enough of them.
func tooFew(before string, inARow, needed int) string {
	text := fmt.Sprintf("it passed in %d rounds in a row, and has to pass in %d", inARow, needed)
	if inARow == 1 {
		text = fmt.Sprintf("it passed in 1 round, and has to pass in %d in a row", needed)
	}
	if before == "" {
		return text
	}
	return before + "; then " + text
}

// probers are the checks of the plan, in its order.
func (p Plan) probers(host string) []*prober {
	var all []*prober
	add := func(kind string, i int, target string, try func(context.Context) error) {
		all = append(all, &prober{Check: Check{Name: fmt.Sprintf("%s[%d]", kind, i), Target: target}, try: try})
	}
	for i, check := range p.TCP {
		target := address(check.Host, host, check.Port)
		add("tcp", i, target, func(ctx context.Context) error { return p.connect(ctx, target) })
	}
	for i, check := range p.HTTP {
		target := check.target(host)
		add("http", i, shown(target), func(ctx context.Context) error { return p.get(ctx, check, target) })
	}
	for i, check := range p.SSHBanner {
		target := address(check.Host, host, check.Port)
		add("ssh_banner", i, target, func(ctx context.Context) error { return p.readBanner(ctx, target) })
	}
	return all
}

// address is where a check connects to; without a host when there is none.
func address(named, host string, port int) string {
	if named != "" {
		host = named
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// ended tells whether a context has ended, or is about to: a connection can run
// into the deadline a moment before the context does.
func ended(ctx context.Context) bool {
	deadline, _ := ctx.Deadline() // Run has set one
	return ctx.Err() != nil || !time.Now().Before(deadline)
}

// unexpected is an answer, but not the right one.
type unexpected string

func (u unexpected) Error() string { return string(u) }

// reason says why a try failed.
func reason(err error) string {
	var elsewhere *redirectedError
	var answer unexpected
	switch {
	case errors.As(err, &elsewhere):
		return fmt.Sprintf("it redirects to %s; there, %s", elsewhere.to, reason(elsewhere.err))
	case errors.As(err, &answer):
		return answer.Error()
	case errors.Is(err, errNoAddress):
		return errNoAddress.Error()
	default:
		return neterror.Reason(err)
	}
}
