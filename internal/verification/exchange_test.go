package verification_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// site is the server's side of one connection.
type site func(t *testing.T, conn net.Conn)

// closes closes the connection at once.
func closes(_ *testing.T, conn net.Conn) { _ = conn.Close() }

// speaksFirst sends a text before it has read a request.
func speaksFirst(text string) site {
	return func(_ *testing.T, conn net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		_, _ = io.WriteString(conn, text)
		time.Sleep(time.Second)
		_ = conn.Close()
	}
}

// answers sends a text after it has read a request.
func answers(text string) site {
	return func(_ *testing.T, conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, text)
		}
		_ = conn.Close()
	}
}

// resets is a connection that the other side resets.
type resets struct{ net.Conn }

func (resets) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// unwanted is a log in which nothing is to be written.
type unwanted struct{ t *testing.T }

func (u unwanted) Write(line []byte) (int, error) {
	u.t.Errorf("got a log line of net/http: %s", line)
	return len(line), nil
}

func TestRun_saysHowAnExchangeFailed(t *testing.T) {
	const (
		closed   = "the connection was closed before the answer was complete"
		notHTTP  = "the answer cannot be read as HTTP/1.1"
		notTLS   = "it does not speak TLS on that port"
		brokeOff = "the server broke off the TLS connection"
		late     = "no answer came in time"
		plain    = "http://app.example.com/"
		https    = "https://app.example.com/"
	)
	certificate := selfSigned(t, "app.example.com")
	secured := func(config *tls.Config, then site) site { // goes on as another site after a TLS handshake
		config.Certificates, config.MinVersion = []tls.Certificate{certificate}, tls.VersionTLS10
		return func(t *testing.T, conn net.Conn) {
			secure := tls.Server(conn, config)
			if err := secure.Handshake(); err != nil {
				speaksFirst("")(t, conn) // so that the client can read the alert
				return
			}
			then(t, secure)
		}
	}
	old := "\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" + strings.Repeat("r", 32) + "\x00\x00\x2f\x00" // a ServerHello of TLS 1.0
	tests := []struct {
		name string
		url  string
		site site
		want string
	}{
		{"closed at once", plain, closes, closed},
		{"closed at once, with TLS", https, closes, closed},
		{"closed after the handshake", https, secured(&tls.Config{}, closes), closed},
		{"closed after the request", plain, answers(""), closed},
		{"closed between the headers", plain, answers("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"), closed},
		{"closed in a header", plain, answers("HTTP/1.1 200 OK\r\nContent-Le"), notHTTP},
		{"reset", plain, nil, closed},
		{"reset, with TLS", https, nil, closed},
		{"an answer before the request", plain, speaksFirst("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "it answered with status 503"},
		{"an answer before the request, with TLS", https, secured(&tls.Config{}, speaksFirst("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")), "it answered with status 503"},
		{"a request that took too long", plain, speaksFirst("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"), "it answered with status 408"},
		{"SSH", plain, speaksFirst(banner), notHTTP},
		{"SSH where TLS is wanted", https, speaksFirst(banner), notTLS},
		{"SSH within TLS", https, secured(&tls.Config{}, speaksFirst(banner)), notHTTP},
		{"SMTP after the request", plain, answers("220 smtp ready\r\n"), notHTTP},
		{"HTTP/2", plain, answers("\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), notHTTP},
		{"a malformed header", plain, answers("HTTP/1.1 200 OK\r\nno header\r\n\r\n"), notHTTP},
		{"headers without an end", plain, answers("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 11<<20)), notHTTP},
		{"a malformed body", plain, answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n"), notHTTP},
		{"a body that is not compressed as it says", plain, answers("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno archive at all"), notHTTP},
		{"HTTP where TLS is wanted", https, answers("HTTP/1.1 400 Bad Request\r\n\r\n"), closed}, // it waits for more of the request
		{"HTTP at once where TLS is wanted", https, speaksFirst("HTTP/1.1 400 Bad Request\r\n\r\n"), notTLS},
		{"TLS where none is wanted", plain, secured(&tls.Config{}, closes), closed},
		{"TLS that is too old", https, secured(&tls.Config{MaxVersion: tls.VersionTLS11}, closes), brokeOff},
		{"TLS that is old and says so late", https, speaksFirst(old), "the TLS handshake failed"},
		{"TLS with a certificate of the client", https, secured(&tls.Config{ClientAuth: tls.RequireAnyClientCert}, closes), brokeOff},
		{"a malformed TLS handshake", https, speaksFirst("\x16\x03\x03\x00\x04\x02\x00\x00\x00"), "the TLS connection failed"},
		{"no TLS handshake", https, func(_ *testing.T, conn net.Conn) { silent(0, conn) }, late},
		{"no answer after the handshake", https, secured(&tls.Config{}, func(_ *testing.T, conn net.Conn) { silent(0, conn) }), late},
		{"no end of the answer", plain, func(_ *testing.T, conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsta")
			silent(0, conn)
		}, late},
	}
	defer log.SetOutput(log.Writer())
	log.SetOutput(unwanted{t})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				check := verification.HTTP{URL: test.url, BodyContains: "status", CACertificate: authority(certificate)}
				p := verification.Plan{HTTP: []verification.HTTP{check}, Interval: time.Minute, Timeout: 20 * time.Second, Successes: 1}
				p.Dial = func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					if test.site == nil {
						go func() { _, _ = io.Copy(io.Discard, far) }()
						return resets{near}, nil
					}
					go test.site(t, far)
					return near, nil
				}
				// The client waits after it has connected, so that the server always acts first.
				slowly := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { time.Sleep(10 * time.Millisecond) }}
				got, err := p.Run(httptrace.WithClientTrace(t.Context(), slowly), "")
				if err != nil || got.Passed || got.Checks[0].LastError != test.want {
					t.Errorf("got %+v (%v), want %q", got.Checks, err, test.want)
				}
				time.Sleep(time.Minute) // until all connections are closed
			})
		})
	}
}

// TestRun_leavesNoGoroutines fails if goroutines of an attempt run on after its end:
// synctest reports them.
func TestRun_leavesNoGoroutines(t *testing.T) {
	dials := map[string]func(context.Context) (net.Conn, error){
		"a connection that is never made": func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"a connection that is made too late": func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			time.Sleep(15 * time.Second)
			go silent(0, far)
			return near, nil
		},
	}
	for name, dial := range dials {
		for _, url := range []string{"http://app.example.com/", "https://app.example.com/"} {
			t.Run(name+", "+url, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := verification.Plan{HTTP: []verification.HTTP{{URL: url}}, Interval: time.Minute, Timeout: 10 * time.Second, Successes: 1}
					p.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
					got, err := p.Run(t.Context(), "")
					if err != nil || got.Passed || got.Checks[0].LastError != "no answer came in time" {
						t.Errorf("got %+v (%v), want no answer in time", got, err)
					}
					time.Sleep(10 * time.Second) // until the late connection is made
				})
			})
		}
	}
}
