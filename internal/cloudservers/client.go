// Package cloudservers is a client of the Rackspace Cloud Servers API v2, which is
// OpenStack's Nova. It gets its tokens from Rackspace's Identity API v2.0, or from
// Keystone v3. It makes one typed call per API call, and holds the project's one
// retry policy. It knows nothing of Terraform.
package cloudservers

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"golang.org/x/sync/singleflight"
)

// DefaultIdentityEndpoint is where Rackspace's public cloud gives out tokens.
const DefaultIdentityEndpoint = "https://identity.api.rackspacecloud.com/v2.0/"

// maxAnswer bounds the body of an answer. A page of 1000 servers has about
// 2 MiB; anything much larger is not an answer of this API.
const maxAnswer = 32 << 20

// Config is what a Client needs to know. All fields but Credentials may be
// left at their zero value, which means the default named at each.
type Config struct {
	IdentityEndpoint string                   // DefaultIdentityEndpoint
	IdentityOrigin   string                   // where IdentityEndpoint is set, in words; empty for the default
	ComputeEndpoint  string                   // the catalog's, for the region that is asked for
	EndpointType     gophercloud.Availability // gophercloud.AvailabilityPublic; AvailabilityInternal is ServiceNet
	Credentials      Credentials              // required
	Region           string                   // the user's default region, or the only one; any letter case
	AllTenants       bool                     // lists ask for the servers of all tenants, as an administrator may
	TLS              *tls.Config              // of the default Transport; nil: the system's certificates
	PollInterval     time.Duration            // 2s; how often Watch polls
	RequestTimeout   time.Duration            // 1m; one HTTP exchange, its body included
	Rates            Rates                    // DefaultRates; where one is 0, that one's default
	MaxRetries       int                      // 0; repetitions of a request after transient failures
	UserAgent        string                   // prepended to gophercloud's
	Transport        http.RoundTripper

	// Context is the context of requests that serve several callers. No single
	// caller can end such a request for the others. context.Background().
	Context context.Context
}

// Client talks to one account. It sends nothing until a call needs it to, and
// is safe for concurrent use.
type Client struct {
	config       Config
	identityBase string // the address of the Identity API without its version, with a slash
	tokenRequest map[string]any
	http         *gophercloud.ProviderClient

	session atomic.Pointer[session] // empty until a call has authenticated
	renewal singleflight.Group      // of the session

	tokens, reads, writes *requestQueue

	regions sync.Map // *Region by name

	mu    sync.Mutex
	tally Tally
}

// New returns a client for an account. It sends nothing. The error is about an
// identity endpoint that is no URL, or says what the credentials lack.
func New(config Config) (*Client, error) {
	config.IdentityEndpoint = cmp.Or(config.IdentityEndpoint, DefaultIdentityEndpoint)
	config.EndpointType = cmp.Or(config.EndpointType, gophercloud.AvailabilityPublic)
	config.PollInterval = cmp.Or(config.PollInterval, 2*time.Second)
	config.RequestTimeout = cmp.Or(config.RequestTimeout, time.Minute)
	config.Context = cmp.Or(config.Context, context.Background())
	if config.Transport == nil {
		config.Transport = newTransport(config.TLS)
	}
	base, _, err := SplitVersion(config.IdentityEndpoint)
	if err != nil {
		return nil, err
	}
	request, err := config.Credentials.tokenRequest()
	if err != nil {
		return nil, err
	}
	provider := &gophercloud.ProviderClient{HTTPClient: http.Client{
		Transport: safeTransport{config.Transport},
		Timeout:   config.RequestTimeout,
		// A redirect could carry the token to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if config.UserAgent != "" {
		provider.UserAgent.Prepend(config.UserAgent)
	}
	client := &Client{config: config, identityBase: base, tokenRequest: request, http: provider, tally: Tally{Calls: map[string]int{}}}
	client.session.Store(&session{})
	client.tokens, client.reads, client.writes = newRequestQueues(config.Rates, config.PollInterval)
	return client, nil
}

// PollInterval is the time between two polls of a pending server.
func (c *Client) PollInterval() time.Duration { return c.config.PollInterval }

// MaxRetries is how often a request is repeated after transient failures.
func (c *Client) MaxRetries() int { return c.config.MaxRetries }

// UserID is the user on whose behalf the client acts. It is empty
// until a call has authenticated.
func (c *Client) UserID() string {
	return c.session.Load().userID
}

// tenantID is the tenant (project) that the token is for; empty where that is not
// known.
func (c *Client) tenantID() string {
	return cmp.Or(c.session.Load().tenantID, c.config.Credentials.TenantID)
}

// Region returns the Cloud Servers API of a region; the empty name stands for
// the configured region and, failing that, for the user's default or only one. It
// authenticates if that has not happened yet.
func (c *Client) Region(ctx context.Context, name string) (*Region, error) {
	session, err := c.authenticated(ctx)
	if err != nil {
		return nil, err
	}
	return c.locate(session, cmp.Or(name, c.config.Region))
}

// sharedTimeout bounds work that is done for several callers, with all its requests
// and repetitions. No context of a caller ends that work.
const sharedTimeout = 5 * time.Minute

// share does work once for all callers that ask for it at the same time. A caller
// whose context ends stops waiting, and the work goes on for the others.
func (c *Client) share(ctx context.Context, group *singleflight.Group, op string, work func(context.Context) error) error {
	done := group.DoChan("", func() (any, error) { //nolint:contextcheck // see Config.Context
		ctx, cancel := context.WithTimeout(c.config.Context, sharedTimeout)
		defer cancel()
		return nil, work(ctx)
	})
	select {
	case result := <-done:
		return result.Err
	case <-ctx.Done():
		return &Error{Op: op, Err: context.Cause(ctx)}
	}
}

const (
	// idleConnections is how many idle connections are kept for the next requests.
	// The default is two. With it most requests of a burst had to connect anew.
	idleConnections = 32
	// idleTime is how long they are kept. Most servers and gateways keep theirs
	// longer. So a request that must not be repeated meets no closed connection.
	idleTime = 4 * time.Second
)

// newTransport returns the default transport, for bursts of requests to the same
// host.
func newTransport(config *tls.Config) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = idleConnections, idleTime
	return transport
}

// safeTransport sends each request with a body once. After a connection was closed, or
// an HTTP/2 stream was reset, net/http sends a request again by itself. It does so only
// if it can get the body again (GetBody). Without this transport a server could be migrated twice.
//
// It reads no more than maxAnswer bytes of an answer, so that a broken or hostile
// endpoint cannot fill the memory.
type safeTransport struct{ http.RoundTripper }

func (t safeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.WithContext(req.Context()) // a copy: a transport must not change its request
	req.GetBody = nil
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}
