package cloudservers

import (
	"errors"
	"io"
	"net/http"
)

var errAnswerTooLarge = errors.New("the answer is larger than 32 MiB")

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
