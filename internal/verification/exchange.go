package verification

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/neterror"
)

// ask sends a request on a new connection, because an open one does not prove that the
// server accepts connections. It uses no proxy, because a proxy could answer instead of
// the server.
//
// The transport does not cancel a dial when the request ends: it would keep the
// connection for later requests. So the dial uses the context of the request.
func (p Plan) ask(ctx context.Context, request *http.Request, config *tls.Config) (*http.Response, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			conn, err := p.dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return newClientFirst(conn), nil
		},
		DialTLSContext: func(_ context.Context, network, address string) (net.Conn, error) {
			conn, err := p.dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			secure := tls.Client(conn, config)
			if err := secure.HandshakeContext(ctx); err != nil {
				_ = conn.Close()
				return nil, described(err, "the TLS handshake failed")
			}
			return newClientFirst(secure), nil
		},
	}
	response, err := transport.RoundTrip(request)
	return response, readable(err)
}

// readable describes an error that came while an answer was read.
func readable(err error) error {
	return described(err, "the answer cannot be read as HTTP/1.1")
}

// described replaces an error by a text, unless package neterror or this package already
// has words for it.
func described(err error, text string) error {
	if err == nil || errors.As(err, new(unexpected)) || neterror.Known(err) {
		return err
	}
	return unexpected(text)
}

// clientFirst is a connection whose reads wait until something was written, or until it
// was closed. It is for servers that send something, or close the connection, before they
// have the request. Without it, the transport would report an idle connection that was
// closed, and not what the server did.
type clientFirst struct {
	net.Conn
	begin func() // lets the reads continue
	begun <-chan struct{}
}

func newClientFirst(conn net.Conn) *clientFirst {
	begun := make(chan struct{})
	return &clientFirst{conn, sync.OnceFunc(func() { close(begun) }), begun}
}

func (c *clientFirst) Read(b []byte) (int, error) {
	<-c.begun
	return c.Conn.Read(b)
}

func (c *clientFirst) Write(b []byte) (int, error) {
	c.begin()
	return c.Conn.Write(b)
}

func (c *clientFirst) Close() error {
	c.begin()
	return c.Conn.Close()
}
