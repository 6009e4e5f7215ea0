// Package verification tests a server: before it is moved, and before its migration is
// confirmed. A Plan is a set of checks, and Run tells whether a host passes them. The
// package has nothing about migrations.
package verification

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Defaults of a Plan.
const (
	DefaultInterval     = 5 * time.Second
	DefaultTimeout      = 5 * time.Minute
	DefaultCheckTimeout = 10 * time.Second
	DefaultSuccesses    = 3
	DefaultSSHPort      = 22
)

// minInterval is the least Interval of a Plan, so that a typing error cannot overload a
// server with connections.
const minInterval = 10 * time.Millisecond

// Plan is what a server has to pass. A round tries every check once, all at the
// same time. The server passes after enough rounds in a row in which every
// check passes.
type Plan struct {
	TCP       []TCP
	HTTP      []HTTP
	SSHBanner []SSHBanner

	Interval     time.Duration // from the start of a round to the start of the next one
	Timeout      time.Duration // for all rounds together
	CheckTimeout time.Duration // for one attempt of a check; 0: DefaultCheckTimeout, or Timeout if that is shorter
	Successes    int           // rounds in a row that have to pass

	// OnRound, if it is set, is called before each round, with the number of rounds in a
	// row that have passed.
	OnRound func(passed int)
	// Dial makes the connections. Nil means that they are made over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TCP is passed by a host that accepts a connection.
type TCP struct {
	Host string // the server's address when empty
	Port int
}

// SSHBanner is passed by a host that answers with an SSH banner. That shows, without
// credentials, that the server has booted.
type SSHBanner struct {
	Host string // the server's address when empty
	Port int
}

// HTTP is passed by the right answer to a GET request.
type HTTP struct {
	URL             string            // http or https; without a host (http://:8080/healthz) it is the server's address
	StatusCodes     []int             // of answers that pass; 200 to 299 when empty
	BodyContains    string            // text that the body must have
	Headers         map[string]string // to send; never shown
	HeadersWO       map[string]string // to send as well; they win over Headers of the same name
	TLSServerName   string            // the name that the certificate is for; the URL's when empty
	CACertificate   string            // PEM of the authorities to trust; the system's when empty
	FollowRedirects bool              // when false, the answer with the redirect is checked
}

// Problem is what is wrong with a part of a plan.
type Problem struct {
	Path []any  // attribute names and list indexes, such as "http", 0, "url"
	Text string // continues a sentence that begins with the name of the attribute: must be a port …
}

// Validate returns what is wrong with a plan.
func (p Plan) Validate() []Problem {
	var problems []Problem
	wrong := func(text string, path ...any) { problems = append(problems, Problem{path, text}) }
	if len(p.TCP)+len(p.HTTP)+len(p.SSHBanner) == 0 {
		wrong("has no check: set tcp, http or ssh_banner.")
	}
	for i, check := range p.TCP {
		if !isPort(check.Port) {
			wrong("must be a port from 1 to 65535.", "tcp", i, "port")
		}
	}
	for i, check := range p.SSHBanner {
		if !isPort(check.Port) {
			wrong("must be a port from 1 to 65535.", "ssh_banner", i, "port")
		}
	}
	for i, check := range p.HTTP {
		for _, problem := range check.validate() {
			wrong(problem.Text, append([]any{"http", i}, problem.Path...)...)
		}
	}
	switch {
	case p.Interval < minInterval:
		wrong(fmt.Sprintf("must be at least %s.", minInterval), "interval")
	case p.Timeout <= 0:
		wrong("must be greater than 0.", "timeout")
	case p.Successes < 1:
		wrong("must be at least 1.", "successes")
	case time.Duration(p.Successes-1) > (p.Timeout-1)/p.Interval: // no round begins at the timeout
		wrong(fmt.Sprintf("is too short for %d successes in a row, %s apart.", p.Successes, p.Interval), "timeout")
	}
	switch {
	case p.CheckTimeout < 0:
		wrong("must be greater than 0.", "check_timeout")
	case p.CheckTimeout > p.Timeout && p.Timeout > 0:
		wrong(fmt.Sprintf("must be at most the timeout of the verification, %s.", p.Timeout), "check_timeout")
	}
	return problems
}

// checkTimeout is how long one attempt of a check can take.
func (p Plan) checkTimeout() time.Duration {
	if p.CheckTimeout == 0 {
		return min(DefaultCheckTimeout, p.Timeout)
	}
	return p.CheckTimeout
}

func isPort(port int) bool { return port >= 1 && port <= 65535 }

func (h HTTP) validate() []Problem {
	var problems []Problem
	wrong := func(text string, path ...any) { problems = append(problems, Problem{path, text}) }
	parsed, err := url.Parse(h.URL)
	switch {
	case err != nil, parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Opaque != "":
		wrong("must be an http or https URL, such as https://app.example.com/healthz or, for the server's own address, http://:8080/healthz.", "url")
	case parsed.User != nil:
		wrong("must not contain a username or password: it would be shown. Send them in headers.", "url")
	}
	for i, code := range h.StatusCodes {
		if code < 100 || code > 599 {
			wrong("must be an HTTP status code from 100 to 599.", "status_codes", i)
		}
	}
	if h.CACertificate != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(h.CACertificate)) {
		wrong("must be a certificate in PEM form.", "ca_certificate")
	}
	for argument, headers := range map[string]map[string]string{"headers": h.Headers, "headers_wo": h.HeadersWO} {
		if !canBeSent(headers) {
			wrong("has a name or value that cannot be sent as a header.", argument)
		}
	}
	return problems
}

func canBeSent(headers map[string]string) bool {
	for name, value := range headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
	}
	return true
}
