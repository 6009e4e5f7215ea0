package verification_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

func TestValidate_namesTheWrongAttribute(t *testing.T) {
	tests := []struct {
		name   string
		change func(*verification.Plan)
		want   string // path and text; empty: nothing is wrong
	}{
		{"nothing", func(*verification.Plan) {}, ""},
		{"no check", func(p *verification.Plan) { p.TCP = nil }, "[] has no check"},
		{"no port", func(p *verification.Plan) { p.TCP[0].Port = 0 }, "[tcp 0 port] must be a port"},
		{"a port beyond", func(p *verification.Plan) { p.SSHBanner = []verification.SSHBanner{{Port: 65536}} }, "[ssh_banner 0 port] must be a port"},
		{"no interval", func(p *verification.Plan) { p.Interval = time.Millisecond }, "[interval] must be at least 10ms"},
		{"no timeout", func(p *verification.Plan) { p.Timeout = 0 }, "[timeout] must be greater than 0"},
		{"no successes", func(p *verification.Plan) { p.Successes = 0 }, "[successes] must be at least 1"},
		{"too many successes", func(p *verification.Plan) { p.Successes = 100 }, "[timeout] is too short for 100 successes"},
		{"a last round at the timeout", func(p *verification.Plan) { p.Successes = 13 }, "[timeout] is too short for 13 successes"},
		{"a last round before the timeout", func(p *verification.Plan) { p.Successes = 12 }, ""},
		{"a negative check timeout", func(p *verification.Plan) { p.CheckTimeout = -time.Second }, "[check_timeout] must be greater than 0."},
		{"a check timeout beyond the timeout", func(p *verification.Plan) { p.CheckTimeout = 61 * time.Second }, "[check_timeout] must be at most the timeout of the verification, 1m0s."},
		{"a check timeout as long as the timeout", func(p *verification.Plan) { p.CheckTimeout = time.Minute }, ""},
		{"a timeout shorter than the default check timeout", func(p *verification.Plan) { p.Timeout, p.Successes = 6*time.Second, 1 }, ""},
		{"no URL", func(p *verification.Plan) { p.HTTP = []verification.HTTP{{URL: "healthz"}} }, "[http 0 url] must be an http or https URL"},
		{"another scheme", func(p *verification.Plan) { p.HTTP = []verification.HTTP{{URL: "file:///etc/passwd"}} }, "[http 0 url] must be an http or https URL"},
		{"no URL at all", func(p *verification.Plan) { p.HTTP = []verification.HTTP{{URL: "http:healthz"}} }, "[http 0 url] must be an http or https URL"},
		{"a password", func(p *verification.Plan) { p.HTTP = []verification.HTTP{{URL: "https://u:p@example.com"}} }, "[http 0 url] must not contain a username"},
		{"the server's own address", func(p *verification.Plan) { p.HTTP = []verification.HTTP{{URL: "http://:8080/healthz"}} }, ""},
		{"a status code", func(p *verification.Plan) {
			p.HTTP = []verification.HTTP{{URL: "http://a", StatusCodes: []int{200, 99}}}
		}, "[http 0 status_codes 1] must be an HTTP status code"},
		{"a certificate", func(p *verification.Plan) {
			p.HTTP = []verification.HTTP{{URL: "http://a", CACertificate: "none"}}
		}, "[http 0 ca_certificate] must be a certificate"},
		{"a header", func(p *verification.Plan) {
			p.HTTP = []verification.HTTP{{URL: "http://a", Headers: map[string]string{"a": "b\r\nc: d"}}}
		}, "[http 0 headers] has a name or value"},
		{"a header that is write-only", func(p *verification.Plan) {
			p.HTTP = []verification.HTTP{{URL: "http://a", Headers: map[string]string{"a": "b"}, HeadersWO: map[string]string{"a": "b\r\nc: d"}}}
		}, "[http 0 headers_wo] has a name or value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := verification.Plan{TCP: []verification.TCP{{Port: 80}}, Interval: 5 * time.Second, Timeout: time.Minute, Successes: 3}
			test.change(&p)
			var got string
			for _, problem := range p.Validate() {
				got += fmt.Sprint(problem.Path, " ", problem.Text)
			}
			if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestRun_trustsTheRightCertificates uses the loopback network.
func TestRun_trustsTheRightCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report the handshakes that fail
	server.StartTLS()
	t.Cleanup(server.Close)
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		check verification.HTTP
		want  string
	}{
		{"an unknown authority", verification.HTTP{URL: server.URL}, "the TLS certificate is not trusted: it is signed by an authority that this machine does not know"},
		{"its authority", verification.HTTP{URL: server.URL, CACertificate: authority, BodyContains: "ok"}, ""},
		{"another name", verification.HTTP{URL: "https://localhost:" + port, CACertificate: authority}, "the TLS certificate is not trusted: it is not for the name localhost"},
		{"a name of its own", verification.HTTP{URL: "https://localhost:" + port, CACertificate: authority, TLSServerName: "example.com"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := verification.Plan{HTTP: []verification.HTTP{test.check}, Interval: 10 * time.Millisecond, Timeout: 2 * time.Second, Successes: 1}
			if test.want == "" {
				p.Timeout = time.Minute
			}
			got, err := p.Run(t.Context(), "127.0.0.1")
			if err != nil || got.Passed != (test.want == "") || got.Checks[0].LastError != test.want {
				t.Errorf("got %+v (%v), want %q", got, err, test.want)
			}
		})
	}
}
