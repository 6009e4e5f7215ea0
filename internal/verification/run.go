package verification

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
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

// Check is what became of one check.
type Check struct {
	Name      string // its place in the plan: tcp[0], http[1], ssh_banner[0]
	Target    string // what was asked: an address, or a URL without its query
	Passed    bool
	Attempts  int
	LastError string // in plain words; empty when no try failed
}

// Failed are the checks that did not pass.
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
	try func(ctx context.Context) error
}

// Run tries all checks of a plan at the same time, at a host, each until it has
// passed so many times in a row, until the timeout ends them all. The error is
// the context's cause if that ended first: then nothing has passed.
func (p Plan) Run(ctx context.Context, host string) (Result, error) {
	probers := p.probers(host)
	bounded, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	var all sync.WaitGroup
	for _, prober := range probers {
		all.Go(func() { p.repeat(bounded, prober) })
	}
	all.Wait()
	result := Result{Passed: true, CheckedAt: time.Now().UTC().Truncate(time.Second)}
	for _, prober := range probers {
		result.Checks = append(result.Checks, prober.Check)
		result.Passed = result.Passed && prober.Passed
	}
	if ctx.Err() != nil {
		result.Passed = false
		return result, context.Cause(ctx)
	}
	return result, nil
}

// probers are the checks of the plan, in its order.
func (p Plan) probers(host string) []*prober {
	var all []*prober
	add := func(kind string, i int, target string, try func(context.Context) error) {
		all = append(all, &prober{Check{Name: fmt.Sprintf("%s[%d]", kind, i), Target: target}, try})
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

// repeat tries a check once every interval until it has passed or the context
// ends.
func (p Plan) repeat(ctx context.Context, check *prober) {
	tick := time.NewTicker(p.Interval)
	defer tick.Stop()
	for row := 0; ; {
		try, cancel := context.WithTimeout(ctx, tryTimeout)
		err := check.try(try)
		cancel()
		if err != nil && check.LastError != "" && ended(ctx) {
			return // cut short, so it says less than the try before it
		}
		check.Attempts++
		if err == nil {
			row++
		} else {
			row, check.LastError = 0, reason(err)
			tflog.Debug(ctx, "A check of the server failed", map[string]any{
				"check": check.Name, "target": check.Target, "attempt": check.Attempts, "error": check.LastError,
			})
		}
		if row == p.Successes {
			check.Passed = true
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if check.LastError == "" {
				check.LastError = fmt.Sprintf("it passed %d times in a row, and needs %d", row, p.Successes)
			}
			return
		}
	}
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
