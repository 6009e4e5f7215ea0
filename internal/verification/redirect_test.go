package verification_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// web is all sites that checks connect to, in virtual time. All ports answer HTTP, and TLS
// with a certificate for the name of the site.
type web struct {
	t            *testing.T
	authorities  string            // PEM of all certificates
	redirects    map[string]string // by URL without its query; all others answer 200
	certificates map[string]tls.Certificate
	requests     []*http.Request // each with the URL that was asked
	serverNames  []string        // of the TLS handshakes
}

func newWeb(t *testing.T, redirects map[string]string, names ...string) *web {
	w := &web{t: t, redirects: redirects, certificates: map[string]tls.Certificate{}}
	for _, name := range names {
		w.certificates[name] = selfSigned(t, name)
		w.authorities += authority(w.certificates[name])
	}
	return w
}

func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, BasicConstraintsValid: true, IsCA: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), // in virtual time as well
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// authority is the authority of a self-signed certificate, in PEM form.
func authority(certificate tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
}

func (w *web) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.HasPrefix(host, "closed.") {
		return nil, refused()
	}
	near, far := net.Pipe()
	go w.serve(far, host, port)
	return near, nil
}

func (w *web) serve(conn net.Conn, host, port string) {
	defer func() { _ = conn.Close() }()
	scheme, input := "http", bufio.NewReader(conn)
	if first, _ := input.Peek(1); string(first) == "\x16" { // a TLS handshake
		scheme = "https"
		conn = tls.Server(peeked{conn, input}, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			w.serverNames = append(w.serverNames, hello.ServerName)
			certificate := w.certificates[hello.ServerName]
			return &certificate, nil
		}})
		input = bufio.NewReader(conn)
	}
	request, err := http.ReadRequest(input)
	if err != nil {
		return // the client refuses the certificate
	}
	request.URL.Scheme, request.URL.Host = scheme, net.JoinHostPort(host, port)
	w.requests = append(w.requests, request)
	location := w.redirects[strings.Split(request.URL.String(), "?")[0]]
	if location == "" {
		_, _ = io.WriteString(conn, answer(200, ""))
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 302 Found\r\nLocation: %s\r\nSet-Cookie: session=1\r\nContent-Length: 0\r\n\r\n", location)
}

// peeked is a connection that was read from already.
type peeked struct {
	net.Conn
	input *bufio.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.input.Read(b) }

// run runs a check once.
func (w *web) run(check verification.HTTP) verification.Result {
	w.t.Helper()
	check.FollowRedirects, check.CACertificate = true, w.authorities
	p := verification.Plan{HTTP: []verification.HTTP{check}, Interval: time.Minute, Timeout: time.Minute, Successes: 1, Dial: w.dial}
	got, err := p.Run(w.t.Context(), "192.0.2.11")
	if err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Minute) // until all connections are closed
	return got
}

func TestRun_sendsHeadersOnlyToTheOriginOfTheURL(t *testing.T) {
	const healthz = "https://app.example.com:443/healthz"
	tests := []struct {
		name      string
		redirects map[string]string
		want      []string // the URL of each request, after its mark
	}{
		{"no redirect", nil, []string{"+" + healthz}},
		{"the same origin", map[string]string{healthz: "/ok"}, []string{"+" + healthz, "+https://app.example.com:443/ok"}},
		{"the same origin, with its port", map[string]string{healthz: "https://app.example.com:443/ok"}, []string{"+" + healthz, "+https://app.example.com:443/ok"}},
		{"the same origin, in capitals", map[string]string{healthz: "HTTPS://APP.example.com/ok"}, []string{"+" + healthz, "+https://APP.example.com:443/ok"}},
		{"another scheme", map[string]string{healthz: "http://app.example.com/ok"}, []string{"+" + healthz, "-http://app.example.com:80/ok"}},
		{"another scheme on the same port", map[string]string{healthz: "http://app.example.com:443/ok"}, []string{"+" + healthz, "-http://app.example.com:443/ok"}},
		{"another port", map[string]string{healthz: "https://app.example.com:8443/ok"}, []string{"+" + healthz, "-https://app.example.com:8443/ok"}},
		{"another host", map[string]string{healthz: "https://other.example.com/ok"}, []string{"+" + healthz, "-https://other.example.com:443/ok"}},
		{"another host, without a scheme", map[string]string{healthz: "//other.example.com/ok"}, []string{"+" + healthz, "-https://other.example.com:443/ok"}},
		{"a host below", map[string]string{healthz: "https://a.app.example.com/ok"}, []string{"+" + healthz, "-https://a.app.example.com:443/ok"}},
		{"credentials of the redirect", map[string]string{healthz: "https://u:p@other.example.com/ok"}, []string{"+" + healthz, "-https://other.example.com:443/ok"}},
		{"a later hop of another host", map[string]string{
			healthz:                           "https://other.example.com/a",
			"https://other.example.com:443/a": "/b",
		}, []string{"+" + healthz, "-https://other.example.com:443/a", "-https://other.example.com:443/b"}},
		{"back to a part of the origin", map[string]string{
			healthz:                           "https://other.example.com/a",
			"https://other.example.com:443/a": "http://app.example.com/b",
		}, []string{"+" + healthz, "-https://other.example.com:443/a", "-http://app.example.com:80/b"}},
		{"back to the origin", map[string]string{
			healthz:                           "https://other.example.com/a",
			"https://other.example.com:443/a": "https://app.example.com/b",
		}, []string{"+" + healthz, "-https://other.example.com:443/a", "+https://app.example.com:443/b"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWeb(t, test.redirects, "app.example.com", "APP.example.com", "other.example.com", "a.app.example.com")
				got := w.run(verification.HTTP{URL: "https://app.example.com/healthz?key=secret", Headers: map[string]string{
					"Authorization": "not this one", "X-Api-Key": "secret", "Host": "secret.example.com", "User-Agent": "secret",
				}, HeadersWO: map[string]string{"authorization": "Bearer secret", "Cookie": "a=secret"}})
				if !got.Passed {
					t.Fatalf("got %+v, want it passed", got)
				}
				var asked []string
				for _, request := range w.requests {
					asked = append(asked, mark(t, request)+strings.Split(request.URL.String(), "?")[0])
				}
				if diff := cmp.Diff(test.want, asked); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// mark is + for a request that has all headers of its check, and - for one that has none
// of them. Any other request is an error.
func mark(t *testing.T, request *http.Request) string {
	t.Helper()
	var names []string
	for name := range request.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	got := fmt.Sprint(names, request.Host, request.Header.Get("Authorization"), request.UserAgent())
	host := strings.TrimSuffix(request.URL.Host, map[string]string{"http": ":80", "https": ":443"}[request.URL.Scheme])
	switch got {
	case fmt.Sprint([]string{"Accept-Encoding", "Authorization", "Connection", "Cookie", "User-Agent", "X-Api-Key"}, "secret.example.com", "Bearer secret", "secret"):
		return "+"
	case fmt.Sprint([]string{"Accept-Encoding", "Connection", "User-Agent"}, host, "", "terraform-provider-rackspace"):
		return "-"
	default:
		t.Errorf("%s: got %s, want all headers or none", request.URL, got)
		return "?"
	}
}

func TestRun_usesTheServerNameOnlyForTheHostOfTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWeb(t, map[string]string{
			"http://192.0.2.11:80/":           "https://192.0.2.11/a",
			"https://192.0.2.11:443/a":        "https://192.0.2.11:8443/b",
			"https://192.0.2.11:8443/b":       "https://other.example.com/c",
			"https://other.example.com:443/c": "https://192.0.2.11/d",
		}, "app.example.com", "other.example.com")
		got := w.run(verification.HTTP{URL: "http:///", TLSServerName: "app.example.com"})
		want := []string{"app.example.com", "app.example.com", "other.example.com", "app.example.com"}
		if diff := cmp.Diff(want, w.serverNames); diff != "" || !got.Passed {
			t.Errorf("got %+v, server names (-want +got):\n%s", got, diff)
		}
	})
}

func TestRun_saysWhereARedirectFailed(t *testing.T) {
	const start = "http://app.example.com:80/"
	tests := map[string]string{ // by what start redirects to
		"http://closed.example.com/a?key=secret":               "it redirects to http://closed.example.com; there, the connection was refused",
		"http://user:secret@closed.example.com:81/":            "it redirects to http://closed.example.com:81; there, the connection was refused",
		"https://other.example.com/":                           "it redirects to https://other.example.com; there, the TLS certificate is not trusted: it is not for the name other.example.com",
		"http://other.example.com/":                            "it redirects to http://other.example.com; there, it redirects to what is not an http or https URL",
		"ftp://app.example.com/":                               "it redirects to what is not an http or https URL",
		"mailto:secret@example.com":                            "it redirects to what is not an http or https URL",
		"http://":                                              "it redirects to what is not an http or https URL",
		"http:///a":                                            "it redirects to what is not an http or https URL",
		"http://%zz/":                                          "it redirects to what is not an http or https URL",
		"http://closed.bücher.example/":                        "it redirects to http://closed.xn--bcher-kva.example; there, the connection was refused",
		"http://" + strings.Repeat("a.", 128) + "example.com/": "it redirects to what is not an http or https URL",
		"/": "it redirects without an end",
	}
	for location, want := range tests {
		t.Run(location, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWeb(t, map[string]string{start: location, "http://other.example.com:80/": "javascript:alert(1)"}, "app.example.com")
				w.certificates["other.example.com"] = w.certificates["app.example.com"]
				got := w.run(verification.HTTP{URL: start})
				if got.Passed || got.Checks[0].LastError != want {
					t.Errorf("got %+v, want %q", got.Checks[0], want)
				}
			})
		})
	}
}
