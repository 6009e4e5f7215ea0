package cloudservers_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// resetting is an HTTP/2 server that resets the stream of every request once it
// has all of it.
func resetting(t *testing.T, code http2.ErrCode) (server *httptest.Server, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server = httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
				return
			}
			framer := http2.NewFramer(conn, conn)
			framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
			_ = framer.WriteSettings()
			for {
				frame, err := framer.ReadFrame()
				if err != nil {
					return
				}
				switch frame := frame.(type) {
				case *http2.SettingsFrame:
					if !frame.IsAck() {
						_ = framer.WriteSettingsAck()
					}
				case *http2.DataFrame:
					if frame.StreamEnded() {
						requests.Add(1)
						_ = framer.WriteRSTStream(frame.StreamID, code)
					}
				}
			}
		},
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, requests
}

func TestAction_isNotSentAgainByHTTP2(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeRefusedStream, http2.ErrCodeInternal} {
		t.Run(code.String(), func(t *testing.T) {
			server, requests := resetting(t, code)
			compute := server.Client().Transport.(*http.Transport).Clone()
			cloud := stub.New(stub.Config{})
			identity := cloud.Transport()
			r := region(t, newClient(t, cloud, func(c *cloudservers.Config) {
				c.ComputeEndpoint, c.RequestTimeout = server.URL+"/v2/123456", 3*time.Second
				c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					if strings.HasSuffix(r.URL.Path, "/tokens") {
						return identity.RoundTrip(r)
					}
					return compute.RoundTrip(r)
				})
			}))
			_, err := migrate(t.Context(), r, "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01")
			if failure := wantError(t, err); !failure.MaybeAccepted() {
				t.Errorf("got %v, want an unknown outcome", err)
			}
			if got := requests.Load(); got != 1 {
				t.Errorf("got %d migrate requests, want 1", got)
			}
		})
	}
}

// breaking is a connection that writes nothing any more once it is broken, as one
// that the server has closed while it was idle.
type breaking struct {
	net.Conn
	broken *atomic.Bool
}

func (b breaking) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return b.Conn.Write(p)
}

func TestAction_isNotSentAgainByHTTP1(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	var broken atomic.Bool
	var connections atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if connections.Add(1) > 1 {
			broken.Store(false)
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return breaking{conn, &broken}, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	r := region(t, newClient(t, cloud, func(c *cloudservers.Config) {
		c.Transport, c.IdentityEndpoint = transport, server.URL+"/v2.0/"
	}))
	if _, err := r.Server(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if _, err := migrate(t.Context(), r, id); !wantError(t, err).MaybeAccepted() {
		t.Errorf("got %v, want an unknown outcome", err)
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("got %d connections, want the action not to be sent again on another one", got)
	}
}
