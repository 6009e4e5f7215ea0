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

// ask sends a request on a connection of its own: one that is kept proves
// nothing. A proxy would answer in the server's stead, so there is none.
//
// The transport's own context for a connection goes on after the end of a
// request, for requests to come. So a connection is made with that of the
// request.
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

// readable describes an error of reading an answer.
func readable(err error) error {
	return described(err, "the answer cannot be read as HTTP/1.1")
}

// described returns the error with a text, where its own is not for users.
func described(err error, text string) error {
	if err == nil || errors.As(err, new(unexpected)) || neterror.Known(err) {
		return err
	}
	return unexpected(text)
}

// clientFirst is a connection that reads nothing before something was written.
// Without it, a transport takes what a server says or does before it has the
// request for the end of an idle connection, and hides what that was.
type clientFirst struct {
	net.Conn
	begin func() // that something is written, or that the connection is closed
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
