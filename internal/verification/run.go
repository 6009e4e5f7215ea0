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

// Result is the result of a plan.
type Result struct {
	Passed    bool
	CheckedAt time.Time // when it ended; UTC, in whole seconds
	Checks    []Check
}

// Check is the result of one check.
type Check struct {
	Name      string // its place in the plan: tcp[0], http[1], ssh_banner[0]
	Target    string // what was asked: an address, or a URL without its query
	Passed    bool   // it passed in the last complete rounds, in as many in a row as are needed
	Attempts  int    // in complete rounds
	LastError string // in plain words; empty when every attempt passed, and there were enough
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

// runner is one check of a plan that runs, with its result so far.
type runner struct {
	Check
	inARow  int // in how many rounds in a row it has passed, up to the last complete one
	attempt func(ctx context.Context) error
}

// Run tests a host in rounds until enough rounds in a row have passed, or until the
// timeout. Every round makes an attempt of each check, also of those that have passed
// before, on a new connection. If the context ends before the host has passed, the error
// is the cause of that.
func (p Plan) Run(ctx context.Context, host string) (Result, error) {
	checks := p.runners(host)
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

// runRound makes an attempt of each check, all at the same time. A round that the end of
// the context interrupts is not complete, and does not count. Only the first round counts
// even then, so that each check has a result.
func (p Plan) runRound(ctx context.Context, checks []*runner, first bool) {
	errs := make([]error, len(checks))
	var all sync.WaitGroup
	var cutShort atomic.Bool
	for i, check := range checks {
		all.Go(func() {
			bounded, cancel := context.WithTimeout(ctx, p.checkTimeout())
			defer cancel()
			errs[i] = check.attempt(bounded)
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

// note records the result of an attempt.
func (c *runner) note(ctx context.Context, err error) {
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
func (p Plan) havePassed(checks []*runner) bool { return inARow(checks) >= p.Successes }

// inARow is how many rounds in a row all checks have passed: the number of the check that
// has the fewest.
func inARow(checks []*runner) int {
	return slices.MinFunc(checks, func(a, b *runner) int { return a.inARow - b.inARow }).inARow
}

// Targets are the addresses and URLs that the plan asks to test a host, in the order of its
// checks.
func (p Plan) Targets(host string) []string {
	var targets []string
	for _, check := range p.runners(host) {
		targets = append(targets, check.Target)
	}
	return targets
}

// result is the result of the plan after the last round.
func (p Plan) result(checks []*runner) Result {
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

// tooFew says that a check passed in the last rounds, but not in enough of them. before is
// its last error.
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

// runners are the checks of the plan, in its order.
func (p Plan) runners(host string) []*runner {
	var all []*runner
	add := func(kind string, i int, target string, attempt func(context.Context) error) {
		all = append(all, &runner{Check: Check{Name: fmt.Sprintf("%s[%d]", kind, i), Target: target}, attempt: attempt})
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

// address is what a check connects to: the host that it names, or else the tested one. It
// has no host when neither is known.
func address(named, host string, port int) string {
	if named != "" {
		host = named
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// ended tells whether a context has ended or its deadline has passed: a connection can
// notice the deadline a moment before the context does.
func ended(ctx context.Context) bool {
	deadline, _ := ctx.Deadline() // Run has set one
	return ctx.Err() != nil || !time.Now().Before(deadline)
}

// unexpected is the error for a server that answers, but not as the check wants. It is in
// words for users.
type unexpected string

func (u unexpected) Error() string { return string(u) }

// reason says why an attempt failed.
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
