package cloudservers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gophercloud/gophercloud/v2"
)

func answered(status int, header http.Header, body string) error {
	return gophercloud.ErrUnexpectedResponseCode{Actual: status, ResponseHeader: header, Body: []byte(body)}
}

func TestNewError_readsFaultsAndWhatProxiesSend(t *testing.T) {
	named := http.Header{"X-Compute-Request-Id": {"req-1"}}
	tests := []struct {
		name string
		err  error
		want Error
	}{
		{
			"a fault", answered(409, named, `{"conflictingRequest":{"code":409,"message":"Cannot 'migrate' instance"}}`),
			Error{StatusCode: 409, Fault: "conflictingRequest", Message: "Cannot 'migrate' instance", RequestID: "req-1"},
		},
		{
			"the other header", answered(404, http.Header{"X-Openstack-Request-Id": {"req-2"}}, `{"itemNotFound":{"code":404,"message":"gone"}}`),
			Error{StatusCode: 404, Fault: "itemNotFound", Message: "gone", RequestID: "req-2"},
		},
		{
			"details", answered(413, http.Header{"Retry-After": {"17"}}, `{"overLimit":{"code":413,"message":"OverLimit Retry...","details":"Error Details..."}}`),
			Error{StatusCode: 413, Fault: "overLimit", Message: "OverLimit Retry...", Details: "Error Details...", RetryAfter: 17 * time.Second},
		},
		{"HTML", answered(502, nil, "<html><h1>Bad Gateway</h1></html>"), Error{StatusCode: 502}},
		{"nothing", answered(503, nil, ""), Error{StatusCode: 503}},
		{"JSON that is no fault", answered(500, nil, `{"a":1,"b":[]}`), Error{StatusCode: 500}},
		{"a list", answered(500, nil, `[1]`), Error{StatusCode: 500}},
		{"two faults", answered(500, nil, `{"b":{"message":"second"},"a":{"message":"first"}}`), Error{StatusCode: 500, Fault: "a", Message: "first"}},
		{
			"a page in a fault", answered(500, nil, `{"computeFault":{"message":"<html><body>Oh\n\tno\u0000</body></html>"}}`),
			Error{StatusCode: 500, Fault: "computeFault", Message: "Oh no"},
		},
		{
			"a book in a fault", answered(500, nil, `{"computeFault":{"message":"`+strings.Repeat("a", 1000)+`"}}`),
			Error{StatusCode: 500, Fault: "computeFault", Message: strings.Repeat("a", 500) + "…"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := newError(call{}, test.err)
			if diff := cmp.Diff(test.want, *got, cmpopts.IgnoreUnexported(Error{})); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewError_readsRetryAfterInEveryForm(t *testing.T) {
	date := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		header http.Header
		body   string
		least  time.Duration
		most   time.Duration
	}{
		{"seconds", http.Header{"Retry-After": {"30"}}, "", 30 * time.Second, 30 * time.Second},
		{"an HTTP date by the API's clock", http.Header{
			"Retry-After": {date.Add(time.Minute).Format(http.TimeFormat)}, "Date": {date.Format(http.TimeFormat)},
		}, "", time.Minute, time.Minute},
		{"an HTTP date alone", http.Header{"Retry-After": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}, "", 59 * time.Minute, time.Hour},
		{"retryAt", nil, `{"overLimit":{"code":413,"message":"m","retryAt":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}}`, 59 * time.Minute, time.Hour},
		{"the header before retryAt", http.Header{"Retry-After": {"5"}}, `{"overLimit":{"message":"m","retryAt":"2099-01-01T00:00:00Z"}}`, 5 * time.Second, 5 * time.Second},
		{"nonsense", http.Header{"Retry-After": {"soon"}}, `{"overLimit":{"message":"m","retryAt":"later"}}`, 0, 0},
		{"retryAt by the API's clock", http.Header{"Date": {date.Format(http.TimeFormat)}},
			`{"overLimit":{"code":413,"message":"m","retryAt":"` + date.Add(30*time.Second).Format(time.RFC3339) + `"}}`, 30 * time.Second, 30 * time.Second},
		{"the past", http.Header{"Retry-After": {date.Format(http.TimeFormat)}, "Date": {date.Add(time.Minute).Format(http.TimeFormat)}}, "", 0, 0},
		{"minutes, which it does not know", http.Header{"Retry-After": {"5m"}}, "", 0, 0},
		{"years", http.Header{"Retry-After": {"2000000000"}}, "", time.Hour, time.Hour},
		{"more than can be counted", http.Header{"Retry-After": {"99999999999999999999"}}, "", 0, 0},
		{"a date in years", http.Header{"Retry-After": {date.AddDate(9, 0, 0).Format(http.TimeFormat)}, "Date": {date.Format(http.TimeFormat)}}, "", time.Hour, time.Hour},
		{"negative", http.Header{"Retry-After": {"-1"}}, "", 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := newError(call{}, answered(413, test.header, test.body)).RetryAfter
			if got < test.least || got > test.most {
				t.Errorf("got %s, want %s to %s", got, test.least, test.most)
			}
		})
	}
}

func TestError_knowsWhatCanHaveHadAnEffect(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	read := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	untrusted := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	tests := []struct {
		name      string
		err       error
		maybe     bool
		temporary bool
		reason    string
	}{
		{"connection refused", dial, false, true, "the connection was refused"},
		{"name not resolved", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "nowhere.example"}}, false, true, "the name nowhere.example could not be resolved"},
		{"no route", &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, false, true, "no route to host"},
		{"certificate", untrusted, false, false, "the TLS certificate is not trusted: it is signed by an authority that this machine does not know"},
		{"certificate of another", &tls.CertificateVerificationError{Err: x509.HostnameError{Host: "ord.example", Certificate: &x509.Certificate{}}}, false, false, "the TLS certificate is not trusted: it is not for the name ord.example"},
		{"certificate of the past", &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, false, false, "the TLS certificate is not trusted: it has expired, or is not valid yet by this machine's clock"},
		{"reset", read, true, true, "the connection was closed before the answer was complete"},
		{"end of file", io.ErrUnexpectedEOF, true, true, "the connection was closed before the answer was complete"},
		{"timeout", context.DeadlineExceeded, true, true, "no answer came in time"},
		{"cancelled", context.Canceled, true, false, "the call was cancelled"},
		{"too large", &http.MaxBytesError{Limit: maxAnswer}, true, true, "the answer is larger than 32 MiB"},
		{"something else", errors.New("strange"), true, true, "the connection failed, or its answer could not be read"},
		{"400", answered(400, nil, `{"badRequest":{"message":"Malformed request body"}}`), false, false, "Malformed request body"},
		{"302", answered(302, nil, ""), false, false, "Found (the answer has no message; a proxy may have sent it)"},
		{"413", answered(413, nil, ""), false, true, "Request Entity Too Large (the answer has no message; a proxy may have sent it)"},
		{"500", answered(500, nil, ""), true, true, "Internal Server Error (the answer has no message; a proxy may have sent it)"},
		{"501", answered(501, nil, ""), false, false, "Not Implemented (the answer has no message; a proxy may have sent it)"},
		{"504", answered(504, nil, "<html>"), true, true, "Gateway Timeout (the answer has no message; a proxy may have sent it)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.err
			if !errors.As(err, new(gophercloud.ErrUnexpectedResponseCode)) {
				err = &url.Error{Op: "Post", URL: "https://example.com", Err: err}
			}
			got := newError(call{op: opMigrate, action: true}, err)
			if got.MaybeAccepted() != test.maybe {
				t.Errorf("got maybe accepted %t, want %t", got.MaybeAccepted(), test.maybe)
			}
			if got.Temporary() != test.temporary {
				t.Errorf("got temporary %t, want %t", got.Temporary(), test.temporary)
			}
			if got.Reason() != test.reason {
				t.Errorf("got reason %q, want %q", got.Reason(), test.reason)
			}
			if !strings.Contains(got.Error(), test.reason) || !strings.HasPrefix(got.Error(), opMigrate) {
				t.Errorf("got %q, want the call and the reason", got.Error())
			}
			if read := newError(call{op: opServer}, err); read.MaybeAccepted() {
				t.Error("a read can have had an effect")
			}
		})
	}
}

func TestError_isNotFoundForA404Alone(t *testing.T) {
	if !errors.Is(newError(call{}, answered(404, nil, "")), ErrNotFound) {
		t.Error("a 404 is not ErrNotFound")
	}
	if errors.Is(newError(call{}, answered(403, nil, "")), ErrNotFound) {
		t.Error("a 403 is ErrNotFound")
	}
}
