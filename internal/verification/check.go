package verification

import (
	"bufio"
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
)

const (
	// maxBody is how much of an answer is searched for text.
	maxBody = 1 << 20
	// maxBanner is how much a server may say before its banner (RFC 4253, 4.2).
	maxBanner = 8 << 10
	// maxRedirects is where following them ends.
	maxRedirects = 10
)

func (p Plan) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err == nil && host == "" {
		return nil, errNoAddress
	}
	if p.Dial != nil {
		return p.Dial(ctx, network, address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

func (p Plan) connect(ctx context.Context, address string) error {
	conn, err := p.dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (p Plan) readBanner(ctx context.Context, address string) error {
	conn, err := p.dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it was only read from
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	lines := bufio.NewScanner(io.LimitReader(conn, maxBanner))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "SSH-") {
			return nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case lines.Err() != nil && lines.Err() != bufio.ErrTooLong: //nolint:errorlint // the scanner returns it as it is
		return lines.Err()
	default:
		return unexpected("it does not answer with an SSH banner")
	}
}

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

func (p Plan) get(ctx context.Context, check HTTP, target *url.URL) error {
	if target.Hostname() == "" {
		return errNoAddress
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "terraform-provider-rackspace")
	for name, value := range check.Headers {
		request.Header.Set(name, value)
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
		}
	}
	// Each try has a connection of its own: one that is kept proves nothing. A
	// proxy would answer in the server's stead.
	transport := &http.Transport{DialContext: p.dial, DisableKeepAlives: true, TLSClientConfig: check.tls()}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: check.redirect}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read from
	return check.judge(response)
}

func (h HTTP) tls() *tls.Config {
	config := &tls.Config{ServerName: h.TLSServerName, MinVersion: tls.VersionTLS12}
	if h.CACertificate != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(h.CACertificate))
	}
	return config
}

// redirect follows redirects where that is asked for. What was to be sent to one
// host is not sent to another.
func (h HTTP) redirect(next *http.Request, past []*http.Request) error {
	if !h.FollowRedirects {
		return http.ErrUseLastResponse
	}
	if len(past) > maxRedirects {
		return unexpected("it redirects without an end")
	}
	if next.URL.Host != past[0].URL.Host {
		for name := range h.Headers {
			next.Header.Del(name)
		}
	}
	return nil
}

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
