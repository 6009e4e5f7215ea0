package stub

import (
	"crypto/tls"
	"encoding/binary"
	"net/http"
	"net/http/httptest"

	"golang.org/x/net/http2"
)

// ServeHTTP2 serves the stub over HTTP/2 and TLS on loopback, until the server that
// it returns is closed. The server's URL is the base URL of the stub. Its Client
// trusts its certificate, and others can use the transport of that Client:
//
//	server := cloud.ServeHTTP2()
//	t.Cleanup(server.Close)
//	config.Transport = server.Client().Transport
//
// Where a Fault closes the connection, the stream is reset with PROTOCOL_ERROR. To
// net/http that means that the request was not processed. It then sends the request
// again by itself, even a POST, if the request has a GetBody.
func (s *Stub) ServeHTTP2() *httptest.Server {
	server := httptest.NewUnstartedServer(s)
	server.EnableHTTP2 = true
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		http2.NextProtoTLS: func(config *http.Server, conn *tls.Conn, handler http.Handler) {
			//nolint:staticcheck // http.Server does not let anybody change the frames of a connection
			new(http2.Server).ServeConn(&resetConn{Conn: conn}, &http2.ServeConnOpts{BaseConfig: config, Handler: handler})
		},
	}
	server.StartTLS()
	return server
}

// frameHeader is how many bytes the header of an HTTP/2 frame has. 3 are for the length of
// what follows the header, 1 for the type, 1 for flags, and 4 for the stream.
const frameHeader = 9

// resetConn is a server's HTTP/2 connection on which every stream that is reset is
// reset with PROTOCOL_ERROR. Go's server resets a stream that its handler aborts
// with INTERNAL_ERROR, after which net/http never sends a request again.
type resetConn struct {
	*tls.Conn
	unsent []byte // the beginning of a frame whose rest is not written yet
}

// Write implements net.Conn. It sends whole frames.
func (c *resetConn) Write(p []byte) (int, error) {
	c.unsent = append(c.unsent, p...)
	whole := changeResets(c.unsent)
	if _, err := c.Conn.Write(c.unsent[:whole]); err != nil {
		return 0, err
	}
	c.unsent = append(c.unsent[:0], c.unsent[whole:]...)
	return len(p), nil
}

// changeResets gives every frame that resets a stream the reason PROTOCOL_ERROR. It
// returns how many bytes at the beginning of its argument are whole frames.
func changeResets(frames []byte) int {
	whole := 0
	for len(frames)-whole >= frameHeader {
		frame := frames[whole:]
		length := frameHeader + int(binary.BigEndian.Uint32(frame)>>8)
		if len(frame) < length {
			break
		}
		if http2.FrameType(frame[3]) == http2.FrameRSTStream {
			binary.BigEndian.PutUint32(frame[frameHeader:], uint32(http2.ErrCodeProtocol))
		}
		whole += length
	}
	return whole
}
