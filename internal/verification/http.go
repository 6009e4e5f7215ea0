package verification

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

const (
	// maxBody is how many bytes of an answer are searched for text.
	maxBody = 1 << 20
	// maxRedirects is how many redirects one attempt follows.
	maxRedirects = 10
	// maxHost is the length of the longest host name (RFC 1035, 2.3.4).
	maxHost = 255
)

// target is the URL of a check, at the server's address if it names no host.
func (h HTTP) target(host string) *url.URL {
	parsed, err := url.Parse(h.URL)
	if err != nil {
		return &url.URL{} // Validate has refused it
	}
	switch {
	case parsed.Hostname() != "":
	case parsed.Port() != "":
		parsed.Host = net.JoinHostPort(host, parsed.Port())
	case strings.Contains(host, ":"):
		parsed.Host = "[" + host + "]"
	default:
		parsed.Host = host
	}
	return parsed
}

// shown is a URL without what may be secret in it.
func shown(target *url.URL) string {
	public := url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}
	return public.String()
}

// origin is the scheme, host and port of a URL, whether or not it names the
// port.
func origin(of *url.URL) [3]string {
	port := map[string]string{"http": "80", "https": "443"}[of.Scheme]
	return [3]string{of.Scheme, strings.ToLower(of.Hostname()), cmp.Or(of.Port(), port)}
}

// get is the http check: it passes when the target, or the URL that it redirects to, gives
// the right answer. The redirects are followed here, and not by an http.Client. A client
// would copy headers to other hosts, and send the URL that redirects as the Referer.
func (p Plan) get(ctx context.Context, check HTTP, target *url.URL) error {
	if target.Hostname() == "" {
		return errNoAddress
	}
	at := target
	for range 1 + maxRedirects {
		next, err := p.getOnce(ctx, check, target, at)
		if err != nil && origin(at) != origin(target) {
			return &redirectedError{shown(&url.URL{Scheme: at.Scheme, Host: at.Host}), err}
		}
		if err != nil || next == nil {
			return err
		}
		at = next
	}
	return unexpected("it redirects without an end")
}

// redirectedError is a failure at another origin than that of the check's URL.
type redirectedError struct {
	to  string
	err error
}

func (e *redirectedError) Error() string { return "at " + e.to + ": " + e.err.Error() }
func (e *redirectedError) Unwrap() error { return e.err }

// getOnce sends one request to the URL at, which is the target of the check or a URL that
// it has redirected to. It checks the answer, or returns the URL that the answer redirects
// to.
func (p Plan) getOnce(ctx context.Context, check HTTP, target, at *url.URL) (*url.URL, error) {
	request, err := check.request(ctx, target, at)
	if err != nil {
		return nil, err
	}
	response, err := p.ask(ctx, request, check.tls(target, at))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read from
	if check.FollowRedirects && redirects(response) {
		return redirection(response)
	}
	return nil, readable(check.judge(response))
}

// request is the request to the URL at. The headers of the check may be secret, so only the
// origin of the target gets them.
func (h HTTP) request(ctx context.Context, target, at *url.URL) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "terraform-provider-rackspace")
	if origin(at) != origin(target) {
		return request, nil
	}
	for _, headers := range []map[string]string{h.Headers, h.HeadersWO} {
		for name, value := range headers {
			request.Header.Set(name, value)
			if http.CanonicalHeaderKey(name) == "Host" {
				request.Host = value
			}
		}
	}
	return request, nil
}

// tls is the TLS configuration for the URL at. TLSServerName applies to the target's host,
// on any port, because a target of plain http may redirect to https.
func (h HTTP) tls(target, at *url.URL) *tls.Config {
	config := &tls.Config{ServerName: at.Hostname(), MinVersion: tls.VersionTLS12}
	if h.TLSServerName != "" && strings.EqualFold(at.Hostname(), target.Hostname()) {
		config.ServerName = h.TLSServerName
	}
	if h.CACertificate != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(h.CACertificate))
	}
	return config
}

// redirects tells whether an answer is a redirect.
func redirects(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return response.Header.Get("Location") != ""
	default:
		return false
	}
}

// redirection is the URL that an answer redirects to. A username and password in it are
// not sent: only an http.Client would send them.
func redirection(response *http.Response) (*url.URL, error) {
	next, err := response.Location()
	if err == nil {
		next.Host, err = httpguts.PunycodeHostPort(next.Host)
	}
	if err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Hostname() == "" || len(next.Host) > maxHost {
		return nil, unexpected("it redirects to what is not an http or https URL")
	}
	return next, nil
}

// judge says what is wrong with an answer, by its status and its body.
func (h HTTP) judge(response *http.Response) error {
	switch {
	case len(h.StatusCodes) > 0 && !slices.Contains(h.StatusCodes, response.StatusCode),
		len(h.StatusCodes) == 0 && response.StatusCode/100 != 2:
		return unexpected(fmt.Sprintf("it answered with status %d", response.StatusCode))
	case h.BodyContains == "":
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	switch {
	case strings.Contains(string(body), h.BodyContains):
		return nil
	case err != nil:
		return err
	default:
		return unexpected(fmt.Sprintf("its answer does not contain %q", h.BodyContains))
	}
}
