package verification_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// network is what checks connect to, in virtual time.
type network struct {
	mu      sync.Mutex
	dialled []string
	serve   func(attempt int, conn net.Conn) // nil: every connection is refused
}

func (n *network) dial(_ context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialled = append(n.dialled, address)
	if n.serve == nil {
		return nil, refused()
	}
	near, far := net.Pipe()
	go n.serve(len(n.dialled), far)
	return near, nil
}

func refused() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }

// says sends a text. If that is an HTTP answer, it reads a request first.
func says(text string) func(int, net.Conn) {
	return func(_ int, conn net.Conn) {
		defer func() { _ = conn.Close() }()
		if len(text) > 4 && text[:4] == "HTTP" {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
		}
		_, _ = conn.Write([]byte(text))
	}
}

func answer(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\nLocation: http://elsewhere.example/\r\n\r\n%s", status, len(body), body)
}

// silent accepts a connection, and sends nothing.
func silent(_ int, conn net.Conn) { _, _ = bufio.NewReader(conn).ReadString(0) }

// plan is a plan with the defaults, changed by a function.
func plan(n *network, change func(*verification.Plan)) verification.Plan {
	p := verification.Plan{
		Interval: verification.DefaultInterval, Timeout: verification.DefaultTimeout, Successes: verification.DefaultSuccesses,
		Dial: n.dial,
	}
	change(&p)
	return p
}

func ssh(p *verification.Plan) { p.SSHBanner = []verification.SSHBanner{{Port: 22}} }

func get(check verification.HTTP) func(*verification.Plan) {
	return func(p *verification.Plan) { p.HTTP = []verification.HTTP{check} }
}

const banner = "SSH-2.0-OpenSSH_9.6\r\n"

func TestRun_returnsTheResultOfEachCheck(t *testing.T) {
	url := "http://:8080/healthz?key=secret"
	tests := []struct {
		name      string
		serve     func(int, net.Conn)
		plan      func(*verification.Plan)
		passed    bool
		attempts  int
		lastError string
	}{
		{"a TCP port that is open", silent, func(p *verification.Plan) { p.TCP = []verification.TCP{{Port: 80}} }, true, 3, ""},
		{"a TCP port that is closed", nil, func(p *verification.Plan) { p.TCP = []verification.TCP{{Port: 80}} }, false, 60, "the connection was refused"},
		{"an SSH banner", says(banner), ssh, true, 3, ""},
		{"an SSH banner after a greeting", says("Welcome\r\nto web-1\r\n" + banner), ssh, true, 3, ""},
		{"another banner", says("220 smtp ready\r\n"), ssh, false, 60, "it does not answer with an SSH banner"},
		{"no banner", silent, ssh, false, 29, "no answer came in time"}, // each attempt takes 10 s; the timeout interrupts the last one
		{"200", says(answer(200, "fine")), get(verification.HTTP{URL: url}), true, 3, ""},
		{"204", says(answer(204, "")), get(verification.HTTP{URL: url}), true, 3, ""},
		{"503", says(answer(503, "")), get(verification.HTTP{URL: url}), false, 60, "it answered with status 503"},
		{"503, which is wanted", says(answer(503, "")), get(verification.HTTP{URL: url, StatusCodes: []int{500, 503}}), true, 3, ""},
		{"200, which is not wanted", says(answer(200, "")), get(verification.HTTP{URL: url, StatusCodes: []int{201}}), false, 60, "it answered with status 200"},
		{"the right text", says(answer(200, "status: ok\n")), get(verification.HTTP{URL: url, BodyContains: "ok"}), true, 3, ""},
		{"another text", says(answer(200, "starting")), get(verification.HTTP{URL: url, BodyContains: "ok"}), false, 60, `its answer does not contain "ok"`},
		{"half an answer", says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"), get(verification.HTTP{URL: url, BodyContains: "fine"}), false, 60, "the connection was closed before the answer was complete"},
		{"a redirect, which is not followed", says(answer(302, "")), get(verification.HTTP{URL: url}), false, 60, "it answered with status 302"},
		{"a redirect without an end", says(answer(302, "")), get(verification.HTTP{URL: url, FollowRedirects: true}), false, 60, "it redirects without an end"},
		{"no answer", silent, get(verification.HTTP{URL: url}), false, 29, "no answer came in time"},
		{"one that is flapping", func(attempt int, conn net.Conn) {
			if attempt%3 == 0 {
				_ = conn.Close()
				return
			}
			says(banner)(attempt, conn)
		}, ssh, false, 60, "it does not answer with an SSH banner"},
		{"one that is slow to boot", func(attempt int, conn net.Conn) {
			if attempt <= 20 {
				_ = conn.Close()
				return
			}
			says(banner)(attempt, conn)
		}, ssh, true, 23, "it does not answer with an SSH banner"},
		{"one that recovers too late", func(attempt int, conn net.Conn) {
			if attempt <= 58 {
				_ = conn.Close()
				return
			}
			says(banner)(attempt, conn)
		}, ssh, false, 60, "it does not answer with an SSH banner; then it passed in 2 rounds in a row, and has to pass in 3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{serve: test.serve}
				began := time.Now()
				p := plan(n, test.plan)
				p.Timeout -= time.Second // so that no attempt begins at the timeout
				got, err := p.Run(t.Context(), "192.0.2.11")
				if err != nil || got.Passed != test.passed || len(got.Checks) != 1 {
					t.Fatalf("got %+v (%v), want passed: %t", got, err, test.passed)
				}
				check := got.Checks[0]
				if check.Passed != test.passed || check.Attempts != test.attempts || check.LastError != test.lastError {
					t.Errorf("got %+v, want %d attempts and %q", check, test.attempts, test.lastError)
				}
				if len(n.dialled) < check.Attempts {
					t.Errorf("got %d connections for %d attempts, want a new one for each", len(n.dialled), check.Attempts)
				}
				if len(check.Target) == 0 || check.Target == url {
					t.Errorf("got target %q, want it without its query", check.Target)
				}
				if took := time.Since(began); took > p.Timeout {
					t.Errorf("took %s, want %s at most", took, p.Timeout)
				}
				if !got.CheckedAt.Equal(time.Now().UTC().Truncate(time.Second)) {
					t.Errorf("got checked at %s, want now", got.CheckedAt)
				}
			})
		})
	}
}

func TestRun_asksTheRightAddress(t *testing.T) {
	checks := verification.Plan{
		TCP:       []verification.TCP{{Port: 80}, {Host: "10.0.0.1", Port: 81}, {Host: "2001:db8::5", Port: 82}},
		HTTP:      []verification.HTTP{{URL: "http://:8080/a?b=c"}, {URL: "https://app.example.com/d"}, {URL: "http:///e"}},
		SSHBanner: []verification.SSHBanner{{Port: 22}, {Host: "web.example.com", Port: 2222}},
	}
	tests := []struct {
		host    string
		targets []string
		dialled map[string]bool
	}{
		{
			"192.0.2.11",
			[]string{
				"192.0.2.11:80", "10.0.0.1:81", "[2001:db8::5]:82",
				"http://192.0.2.11:8080/a", "https://app.example.com/d", "http://192.0.2.11/e", "192.0.2.11:22", "web.example.com:2222",
			},
			map[string]bool{
				"192.0.2.11:80": true, "10.0.0.1:81": true, "[2001:db8::5]:82": true, "192.0.2.11:8080": true,
				"app.example.com:443": true, "192.0.2.11:22": true, "web.example.com:2222": true,
			},
		},
		{
			"2001:db8::1",
			[]string{
				"[2001:db8::1]:80", "10.0.0.1:81", "[2001:db8::5]:82",
				"http://[2001:db8::1]:8080/a", "https://app.example.com/d", "http://[2001:db8::1]/e", "[2001:db8::1]:22", "web.example.com:2222",
			},
			map[string]bool{
				"[2001:db8::1]:80": true, "10.0.0.1:81": true, "[2001:db8::5]:82": true, "[2001:db8::1]:8080": true,
				"app.example.com:443": true, "[2001:db8::1]:22": true, "web.example.com:2222": true,
			},
		},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			n := &network{}
			got, err := plan(n, func(p *verification.Plan) { p.TCP, p.HTTP, p.SSHBanner = checks.TCP, checks.HTTP, checks.SSHBanner }).Run(t.Context(), test.host)
			if err != nil {
				t.Fatal(err)
			}
			var targets []string
			for _, check := range got.Checks {
				targets = append(targets, check.Target)
			}
			if diff := cmp.Diff(test.targets, targets); diff != "" {
				t.Errorf("targets (-want +got):\n%s", diff)
			}
			dialled := map[string]bool{}
			for _, address := range n.dialled {
				dialled[address] = true
			}
			for address := range test.dialled {
				if !dialled[address] && address != "192.0.2.11:80" && address != "[2001:db8::1]:80" {
					t.Errorf("got %v dialled, want %s among them", dialled, address)
				}
			}
		})
	}
}

func TestRun_saysThatThereIsNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{serve: says(banner)}
		got, err := plan(n, func(p *verification.Plan) {
			ssh(p)
			p.HTTP = []verification.HTTP{{URL: "http://:8080/"}, {URL: "http:///"}}
		}).Run(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, check := range got.Checks {
			if check.LastError != "the server has no address, and the check names no host" {
				t.Errorf("%s: got %q, want it to say that there is no address", check.Name, check.LastError)
			}
		}
		if len(n.dialled) > 0 {
			t.Errorf("got %v dialled, want nothing", n.dialled)
		}
	})
}

func TestRun_needsEveryCheckToPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{serve: says(banner)}
		got, err := plan(n, func(p *verification.Plan) {
			ssh(p)
			get(verification.HTTP{URL: "http://:80/"})(p)
		}).Run(t.Context(), "192.0.2.11")
		if err != nil || got.Passed || len(got.Failed()) != 1 || got.Failed()[0].Name != "http[0]" {
			t.Errorf("got %+v (%v), want http[0] alone to fail", got, err)
		}
	})
}

func TestRun_endsWithItsContext(t *testing.T) {
	for name, serve := range map[string]func(int, net.Conn){"between attempts": nil, "in an attempt": silent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cause := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(62*time.Second, func() { cancel(cause) })
				began := time.Now()
				got, err := plan(&network{serve: serve}, ssh).Run(ctx, "192.0.2.11")
				if !errors.Is(err, cause) || got.Passed || time.Since(began) != 62*time.Second {
					t.Errorf("got %+v (%v) after %s, want the cause at once", got, err, time.Since(began))
				}
			})
		})
	}
}
