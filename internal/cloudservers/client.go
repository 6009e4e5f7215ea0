// Package cloudservers is a client of the Rackspace Cloud Servers API v2 and
// of the Identity API v2.0 that its tokens come from. It makes one typed call
// per API call, and holds the project's one retry policy. It knows nothing of
// Terraform.
package cloudservers

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

// DefaultIdentityEndpoint is where Rackspace's public cloud gives out tokens.
const DefaultIdentityEndpoint = "https://identity.api.rackspacecloud.com/v2.0/"

// EndpointType says which of a region's addresses is used.
type EndpointType string

// The endpoint types of Rackspace's service catalog.
const (
	EndpointPublic   EndpointType = "public"
	EndpointInternal EndpointType = "internal" // ServiceNet
)

// maxAnswer bounds the body of an answer. A page of 1000 servers has about
// 2 MiB; anything much larger is not an answer of this API.
const maxAnswer = 32 << 20

// Config is what a Client needs to know. All fields but Credentials may be
// left at their zero value, which means the default named at each.
type Config struct {
	IdentityEndpoint string        // DefaultIdentityEndpoint
	ComputeEndpoint  string        // the catalog's, for the region that is asked for
	EndpointType     EndpointType  // EndpointPublic
	Credentials      Credentials   // required
	Region           string        // the user's default region; any letter case
	PollInterval     time.Duration // 2s; how often Watch looks
	RequestTimeout   time.Duration // 1m; one HTTP exchange, its body included
	Rates            Rates         // DefaultRates; where one is 0, that one's default
	MaxRetries       int           // 0; repetitions of a request after transient failures
	UserAgent        string        // prepended to gophercloud's
	Transport        http.RoundTripper

	// Context is what requests that serve several callers are made with, so that
	// none of these ends them or has them in its log alone; context.Background().
	Context context.Context
}

// Client talks to one account. It sends nothing until a call needs it to, and
// is safe for concurrent use.
type Client struct {
	config  Config
	http    *gophercloud.ProviderClient
	session *session
	pace    *pace
	tally   tally

	mu      sync.Mutex
	regions map[string]*Region
}

// New returns a client for an account. It sends nothing. The error is about an
// identity endpoint that is no URL.
func New(config Config) (*Client, error) {
	if config.IdentityEndpoint == "" {
		config.IdentityEndpoint = DefaultIdentityEndpoint
	}
	if config.EndpointType == "" {
		config.EndpointType = EndpointPublic
	}
	if config.PollInterval == 0 {
		config.PollInterval = 2 * time.Second
	}
	if config.RequestTimeout == 0 {
		config.RequestTimeout = time.Minute
	}
	if config.Context == nil {
		config.Context = context.Background()
	}
	if config.Transport == nil {
		config.Transport = pooled()
	}
	provider, err := openstack.NewClient(config.IdentityEndpoint)
	if err != nil {
		return nil, err
	}
	provider.HTTPClient = http.Client{
		Transport: boundedTransport{config.Transport},
		Timeout:   config.RequestTimeout,
		// A redirect could carry the token to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if config.UserAgent != "" {
		provider.UserAgent.Prepend(config.UserAgent)
	}
	client := &Client{config: config, http: provider, pace: newPace(config.Rates, config.PollInterval), regions: map[string]*Region{}}
	client.session, err = newSession(client)
	return client, err
}

// PollInterval is the time between two looks at a pending server.
func (c *Client) PollInterval() time.Duration { return c.config.PollInterval }

// MaxRetries is how often a request is repeated after transient failures.
func (c *Client) MaxRetries() int { return c.config.MaxRetries }

// UserID is the Rackspace user on whose behalf the client acts. It is empty
// until a call has authenticated.
func (c *Client) UserID() string { return c.session.userID() }

// Region returns the Cloud Servers API of a region; the empty name stands for
// the configured region and, failing that, for the user's default one. It
// authenticates if that has not happened yet.
func (c *Client) Region(ctx context.Context, name string) (*Region, error) {
	grant, err := c.session.grant(ctx, "")
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = c.config.Region
	}
	return c.locate(grant, name)
}

// Region is the Cloud Servers API v2 of one region.
type Region struct {
	Name     string // as the catalog spells it: upper case
	client   *Client
	compute  *gophercloud.ServiceClient
	seen     snapshot
	watcher  watcher
	refusals refusals // of lists
}
