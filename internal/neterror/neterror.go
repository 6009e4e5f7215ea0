// Package neterror says in plain words why a network exchange failed. Go's own
// texts are for programmers, and change with its versions.
package neterror

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"syscall"

	"golang.org/x/net/http2"
)

const (
	closed     = "the connection was closed before the answer was complete"
	late       = "no answer came in time"
	refused    = "the connection was refused"
	notHTTP    = "the answer cannot be read as HTTP/1.1"
	notTLS     = "it does not speak TLS on that port"
	unknown    = "the connection failed, or its answer could not be read"
	proxyError = "the connection to the proxy failed"
)

// systemReasons has a text for errors of the operating system. All other errors keep the
// system's own text, such as "no route to host". The numbers are those of Windows; no other
// system uses them.
var systemReasons = map[syscall.Errno]string{
	syscall.ECONNABORTED: closed, 10053: closed,
	syscall.ECONNRESET: closed, 10054: closed,
	syscall.EPIPE:     closed,
	syscall.ETIMEDOUT: late, 10060: late,
	syscall.ECONNREFUSED: refused, 10061: refused,
}

// Reason says why an exchange failed, without the errors that wrap the reason. If Go has no
// error type for the reason, Reason says only that the exchange failed.
func Reason(err error) string {
	if text := known(err); text != "" {
		return text
	}
	return unknown
}

// Known tells whether Reason can say why, and not only that the exchange failed.
func Known(err error) bool { return known(err) != "" }

// known is the text for an error whose type says the reason; empty for other errors.
func known(err error) string {
	var (
		dns     *net.DNSError
		op      *net.OpError
		network net.Error
		system  syscall.Errno
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was cancelled"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		if text := known(op.Err); text != "" {
			return proxyError + ": " + text
		}
		return proxyError
	case errors.As(err, &dns):
		return "the name " + dns.Name + " could not be resolved"
	case Untrusted(err):
		return "the TLS certificate is not trusted: " + distrust(err)
	case errors.As(err, &system):
		return systemReason(system)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return late
	case isClosed(err):
		return closed
	default:
		return protocolReason(err)
	}
}

func systemReason(system syscall.Errno) string {
	if text, ok := systemReasons[system]; ok {
		return text
	}
	return strings.TrimRight(system.Error(), ".\r\n ") // the system's own text
}

func isClosed(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, http.ErrServerClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// protocolReason is the text for an error of TLS or HTTP, and for a failed dial for which the
// system gave no reason. For other errors it is empty.
func protocolReason(err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, new(tls.RecordHeaderError)), errors.Is(err, http.ErrSchemeMismatch):
		return notTLS
	case errors.As(err, new(http2.StreamError)): // the As method of net/http's internal type fills it in
		return "the exchange was broken off before the answer was complete"
	case errors.As(err, new(textproto.ProtocolError)):
		return notHTTP
	case !errors.As(err, &op):
		return ""
	}
	switch op.Op {
	case "dial":
		return "the connection could not be made"
	case "remote error": // a TLS alert of the server
		return "the server broke off the TLS connection"
	case "local error": // a TLS alert to the server
		return "the TLS connection failed"
	default:
		return ""
	}
}

// Untrusted tells whether an exchange failed because a TLS certificate is not trusted.
func Untrusted(err error) bool {
	var verify *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &authority)
}

// distrust says what is wrong with a certificate.
func distrust(err error) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "it is signed by an authority that this machine does not know"
	case errors.As(err, &name):
		return "it is not for the name " + name.Host
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or is not valid yet by this machine's clock"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "it is not meant for a server"
	case errors.As(err, &invalid), errors.As(err, new(x509.ConstraintViolationError)):
		return "it, or the certificate of its authority, is not valid"
	case errors.As(err, new(x509.InsecureAlgorithmError)):
		return "its signature is made in a way that is not secure"
	case errors.As(err, new(x509.SystemRootsError)):
		return "this machine's list of authorities cannot be read"
	default:
		return "it could not be verified"
	}
}
