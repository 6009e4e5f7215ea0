package stub_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// ask connects to a port. It returns the answer or refused, closed or silent. With http1
// it sends an HTTP request first.
func ask(t *testing.T, dial func(address string) (net.Conn, error), address string, http1 bool) string {
	t.Helper()
	conn, err := dial(address)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.Errno(10061)): // the number on Windows
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.Errno(10054)): // the port was closed meanwhile
		return "closed"
	case err != nil:
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if http1 {
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			defer func() { _ = response.Body.Close() }()
			body, _ := io.ReadAll(response.Body)
			return strconv.Itoa(response.StatusCode) + " " + strings.TrimSpace(string(body))
		}
		return reasonForSilence(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return reasonForSilence(err)
	}
	return strings.TrimSpace(line)
}

// reasonForSilence names the reason why no answer came.
func reasonForSilence(err error) string {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return "silent"
	}
	return "closed"
}

func TestDial_answersAsTheHealthOfTheServerSays(t *testing.T) {
	tests := []struct {
		name   string
		health stub.Health
		http   string
		ssh    string
	}{
		{"healthy", stub.Healthy, "200 ok", "SSH-2.0-stub"},
		{"closed", stub.Closed, "refused", "refused"},
		{"silent", stub.Silent, "silent", "silent"},
		{"dropped", stub.Dropped, "closed", "closed"},
		{"wrong", stub.Wrong, "503 starting", "220 this is no SSH server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{})
				cloud.AddServer(stub.Server{AccessIPv4: "192.0.2.1", Health: func(stub.Visit) stub.Health { return test.health }})
				dial := func(address string) (net.Conn, error) { return cloud.Dial(t.Context(), "tcp", address) }
				if got := ask(t, dial, "192.0.2.1:8080", true); got != test.http {
					t.Errorf("got %q over HTTP, want %q", got, test.http)
				}
				if got := ask(t, dial, "192.0.2.1:2222", false); got != test.ssh {
					t.Errorf("got %q over SSH, want %q", got, test.ssh)
				}
				if got := ask(t, dial, "192.0.2.1:80", true) + ask(t, dial, "192.0.2.9:8080", true); got != "refusedrefused" {
					t.Errorf("got %q of another port and another server, want them refused", got)
				}
			})
		})
	}
}

func TestDial_followsTheServerFromHostToHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{AccessIPv4: "192.0.2.1", Health: stub.HealthyOnOriginalHost(stub.Wrong)})
		now := func() string {
			return ask(t, func(address string) (net.Conn, error) { return cloud.Dial(t.Context(), "tcp", address) }, "192.0.2.1:8080", true)
		}
		steps := []struct {
			do   func() error
			wait time.Duration
			want string
		}{
			{func() error { return nil }, 0, "200 ok"},
			{func() error { return cloud.Migrate(id, "user-1") }, time.Second, "refused"}, // it is being moved
			{func() error { return nil }, time.Minute, "503 starting"},
			{func() error { return cloud.Revert(id, "user-1") }, time.Minute, "200 ok"},
			{func() error {
				cloud.SetServer(id, func(s *stub.Server) { s.Status = "SHUTOFF" })
				return nil
			}, 0, "refused"},
		}
		for i, step := range steps {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(step.wait)
			if got := now(); got != step.want {
				t.Errorf("step %d: got %q, want %q", i, got, step.want)
			}
		}
	})
}

func TestDial_givesHealthTheNumberAndTheAgeOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		var seen []stub.Visit
		cloud.AddServer(stub.Server{AccessIPv6: "2001:db8::1", Health: func(v stub.Visit) stub.Health {
			seen = append(seen, v)
			return stub.Closed
		}})
		for range 2 {
			_, _ = cloud.Dial(t.Context(), "tcp", "[2001:db8::1]:2222")
			time.Sleep(time.Minute)
		}
		want := []stub.Visit{{Home: true, Attempt: 1}, {Home: true, Attempt: 2, Since: time.Minute}}
		if len(seen) != 2 || seen[0] != want[0] || seen[1] != want[1] {
			t.Errorf("got %+v, want %+v", seen, want)
		}
	})
}

// TestListen_opensPortsAsTheHealthOfTheServerSays uses the loopback network.
func TestListen_opensPortsAsTheHealthOfTheServerSays(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{Name: "web-1", AccessIPv4: "127.0.0.1", Health: stub.HealthyOnOriginalHost(stub.Closed)})
	cloud.AddServer(stub.Server{Name: "far-1", AccessIPv4: "192.0.2.1"}) // not on the loopback network, so Listen opens no port of it
	ports, err := cloud.Listen(true)
	if err != nil {
		t.Fatal(err)
	}
	defer ports.Close()
	address := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports.Number(id, port))) }
	until := func(want string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			got := ask(t, func(address string) (net.Conn, error) { return net.Dial("tcp", address) }, address(stub.PortHTTP), true)
			if got == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
	until("200 ok")
	if got := ask(t, func(address string) (net.Conn, error) { return net.Dial("tcp", address) }, address(stub.PortSSH), false); got != "SSH-2.0-stub" {
		t.Errorf("got %q, want an SSH banner", got)
	}
	if err := cloud.Migrate(id, "user-1"); err != nil {
		t.Fatal(err)
	}
	cloud.Advance(time.Minute)
	until("refused")
	if err := cloud.Revert(id, "user-1"); err != nil {
		t.Fatal(err)
	}
	cloud.Advance(time.Minute)
	until("200 ok")
}

func TestListen_saysWhichPortsAreTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(stub.PortHTTP))
	if err == nil {
		defer func() { _ = taken.Close() }()
	}
	cloud := stub.New(stub.Config{})
	cloud.AddServer(stub.Server{Name: "web-1", AccessIPv4: "127.0.0.1"})
	if _, err := cloud.Listen(false); err == nil || !strings.Contains(err.Error(), "web-1") {
		t.Errorf("got %v, want it to name the server", err)
	}
}
