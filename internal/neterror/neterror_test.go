package neterror_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/neterror"
)

const (
	closed  = "the connection was closed before the answer was complete"
	refused = "the connection was refused"
	late    = "no answer came in time"
	unknown = "the connection failed, or its answer could not be read"
)

func dial(system syscall.Errno) error {
	return &url.Error{Op: "Get", URL: "https://example.com", Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", system)}}
}

func read(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }

func untrusted(err error) error { return &tls.CertificateVerificationError{Err: err} }

func TestReason_isInPlainWords(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"cancelled", &url.Error{Err: context.Canceled}, "the call was cancelled"},
		{"no such name", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "nowhere.invalid", Err: "no such host"}}, "the name nowhere.invalid could not be resolved"},
		{"refused", dial(syscall.ECONNREFUSED), refused},
		{"refused, on Windows", dial(10061), refused},
		{"no route", dial(syscall.EHOSTUNREACH), "no route to host"},
		{"no network", dial(syscall.ENETUNREACH), "network is unreachable"},
		{"host down", dial(syscall.EHOSTDOWN), "host is down"},
		{"not permitted", dial(syscall.EPERM), "operation not permitted"},
		{"too many files", dial(syscall.EMFILE), "too many open files"},
		{"the system's timeout", dial(syscall.ETIMEDOUT), late},
		{"the context's timeout", &url.Error{Err: context.DeadlineExceeded}, late},
		{"the connection's timeout", read(os.ErrDeadlineExceeded), late},
		{"reset", read(os.NewSyscallError("read", syscall.ECONNRESET)), closed},
		{"reset, on Windows", read(os.NewSyscallError("wsarecv", syscall.Errno(10054))), closed},
		{"aborted", read(syscall.ECONNABORTED), closed},
		{"broken pipe", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, closed},
		{"the end", &url.Error{Err: io.EOF}, closed},
		{"the end in the middle", io.ErrUnexpectedEOF, closed},
		{"closed here", read(net.ErrClosed), closed},
		{"a pipe that is closed", io.ErrClosedPipe, closed},
		{"a server that is closed", http.ErrServerClosed, closed},
		{"no dial", &net.OpError{Op: "dial", Err: &net.AddrError{Err: "missing port in address", Addr: "a"}}, "the connection could not be made"},
		{"a proxy that refuses", &net.OpError{Op: "proxyconnect", Err: dial(syscall.ECONNREFUSED)}, "the connection to the proxy failed: " + refused},
		{"a proxy that fails", &net.OpError{Op: "proxyconnect", Err: errors.New("proxy: unknown scheme: x")}, "the connection to the proxy failed"},
		{"not TLS", &url.Error{Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, "it does not speak TLS on that port"},
		{"HTTP instead of TLS", &url.Error{Err: http.ErrSchemeMismatch}, "it does not speak TLS on that port"},
		{"an alert", &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, "the server broke off the TLS connection"},
		{"an alert of ours", &net.OpError{Op: "local error", Err: errors.New("tls: bad record MAC")}, "the TLS connection failed"},
		{"an unknown authority", untrusted(x509.UnknownAuthorityError{}), "the TLS certificate is not trusted: it is signed by an authority that this machine does not know"},
		{"an unknown authority alone", x509.UnknownAuthorityError{}, "the TLS certificate is not trusted: it is signed by an authority that this machine does not know"},
		{"another name", untrusted(x509.HostnameError{Host: "example.com"}), "the TLS certificate is not trusted: it is not for the name example.com"},
		{"expired", untrusted(x509.CertificateInvalidError{Reason: x509.Expired}), "the TLS certificate is not trusted: it has expired, or is not valid yet by this machine's clock"},
		{"for clients", untrusted(x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}), "the TLS certificate is not trusted: it is not meant for a server"},
		{"a certificate that may not sign others", untrusted(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}), "the TLS certificate is not trusted: it, or the certificate of its authority, is not valid"},
		{"a weak signature", untrusted(x509.InsecureAlgorithmError(x509.SHA1WithRSA)), "the TLS certificate is not trusted: its signature is made in a way that is not secure"},
		{"no authorities", untrusted(x509.SystemRootsError{}), "the TLS certificate is not trusted: this machine's list of authorities cannot be read"},
		{"another reason", untrusted(x509.UnhandledCriticalExtension{}), "the TLS certificate is not trusted: it could not be verified"},
		{"a malformed header", &url.Error{Err: textproto.ProtocolError("malformed MIME header line")}, "the answer cannot be read as HTTP/1.1"},
		{"what has no type", &url.Error{Err: errors.New("http: server closed idle connection")}, unknown},
		{"a read that failed for what has no type", read(errors.New("strange")), unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", test.err)
			if got := neterror.Reason(err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got, want := neterror.Known(err), test.want != unknown; got != want {
				t.Errorf("got known: %t, want %t", got, want)
			}
		})
	}
}

// TestReason_ofNetHTTP uses the loopback network.
func TestReason_ofNetHTTP(t *testing.T) {
	tests := []struct {
		name   string
		http2  bool
		answer http.HandlerFunc
		want   string
	}{
		{"a stream that is reset", true, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "the exchange was broken off before the answer was complete"},
		{"a connection that is closed", false, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, closed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(test.answer)
			server.EnableHTTP2 = test.http2
			server.StartTLS()
			defer server.Close()
			_, err := server.Client().Get(server.URL)
			if err == nil || neterror.Reason(err) != test.want {
				t.Errorf("got %v: %q, want %q", err, neterror.Reason(err), test.want)
			}
		})
	}
}
