package stub

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// Ports that a running server has open at its access address.
const (
	PortHTTP = 8080 // answers 200 and "ok"
	PortSSH  = 2222 // answers with an SSH banner
)

// Health is how a server behaves on its ports.
type Health int

// The ways in which a server can behave.
const (
	Healthy Health = iota
	Closed         // connections are refused
	Silent         // connections are accepted, and nothing is answered
	Dropped        // connections are accepted, and closed at once
	Wrong          // HTTP answers with 503, and SSH with a text that is no banner
)

// Visit is a connection to one of a server's ports. The server's health can depend on it.
type Visit struct {
	Home    bool          // the server is on the host that it was added on
	Attempt int           // how many connections to the server there were on its host, this one included
	Since   time.Duration // how long ago the first of them was
}

// HealthyOnOriginalHost is the health of a server that is healthy only on the host that it was
// added on. On any other host its health is the argument away.
func HealthyOnOriginalHost(away Health) func(Visit) Health {
	return func(v Visit) Health {
		if v.Home {
			return Healthy
		}
		return away
	}
}

// visits counts the connections to a server on its current host.
type visits struct {
	host     string
	since    time.Time
	attempts int
}

// health is the health of a server now. One that does not run is Closed. connects says
// that the caller answers a connection, which is then counted.
func (s *Stub) health(id string, connects bool) Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.find(id)
	if v == nil || v.Status != statusActive && (v.Status != statusVerifyResize || v.stopped || v.PoweredOff) {
		return Closed
	}
	if v.visits.host != v.HostID {
		v.visits = visits{host: v.HostID, since: s.now()}
	}
	if connects {
		v.visits.attempts++
	}
	if v.Health == nil {
		return Healthy
	}
	return v.Health(Visit{Home: v.HostID == v.firstHost, Attempt: v.visits.attempts, Since: s.now().Sub(v.visits.since)})
}

// Dial connects to a server's port at its access address, in process. It is for tests
// under testing/synctest, as Transport is for requests to the API.
func (s *Stub) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	id := s.serverAt(host)
	if err != nil || id == "" || port != PortHTTP && port != PortSSH || ctx.Err() != nil {
		return nil, refused
	}
	health := s.health(id, true)
	if health == Closed {
		return nil, refused
	}
	near, far := net.Pipe()
	go answerPort(far, port, health)
	return near, nil
}

// serverAt finds a server by its access address.
func (s *Stub) serverAt(address string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, server := range s.servers {
		if address != "" && (server.AccessIPv4 == address || server.AccessIPv6 == address) {
			return id
		}
	}
	return ""
}

// answerPort answers one connection to one port, until that is closed.
func answerPort(conn net.Conn, port int, health Health) {
	defer conn.Close() //nolint:errcheck // nothing more is sent
	switch {
	case health == Dropped:
		return
	case health == Silent:
		_, _ = io.Copy(io.Discard, conn)
		return
	case port == PortHTTP:
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		status, body := http.StatusOK, "ok\n"
		if health == Wrong {
			status, body = http.StatusServiceUnavailable, "starting\n"
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			status, http.StatusText(status), len(body), body)
	case health == Wrong:
		_, _ = io.WriteString(conn, "220 this is no SSH server\r\n")
	default:
		_, _ = io.WriteString(conn, "SSH-2.0-stub\r\n")
	}
}
