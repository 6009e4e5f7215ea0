package cloudservers

import (
	"errors"
	"io"
	"net/http"
	"time"
)

var errAnswerTooLarge = errors.New("the answer is larger than 32 MiB")

const (
	// idleConnections are kept for the next requests; with the two of the default,
	// most requests of a burst would greet the API anew.
	idleConnections = 32
	// idleTime is how long: less than most servers and gateways do, so that no
	// request that must not be repeated meets a connection that they have given up.
	idleTime = 4 * time.Second
)

// pooled returns the default transport, for bursts of requests to the same host.
func pooled() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = idleConnections, idleTime
	return transport
}

// boundedTransport refuses to hand on more than maxAnswer bytes of a body, so
// that a broken or hostile endpoint cannot fill the memory.
type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswerTooLarge
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
