package cloudservers

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
)

// serviceName tells Cloud Servers v2 from the retired v1.0, which the catalog
// lists under the same type.
const (
	serviceName = "cloudServersOpenStack"
	serviceType = "compute"
)

// RegionError says that no Cloud Servers endpoint fits what was asked for.
type RegionError struct {
	Region       string // as asked for; empty when none was
	EndpointType EndpointType
	Known        []string // the account's regions that have such an endpoint
}

func (e *RegionError) Error() string {
	if e.Region == "" {
		return "no region is set and the user has no default region; the account has " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("the account has no %s Cloud Servers endpoint in region %q; it has %s",
		e.EndpointType, e.Region, strings.Join(e.Known, ", "))
}

// ErrNoCloudServers says that the account's catalog has no Cloud Servers v2.
var ErrNoCloudServers = errors.New("the account's service catalog has no entry cloudServersOpenStack (Cloud Servers v2)")

// locate finds a region's endpoint in the catalog. Nothing is sent: the
// endpoint itself answers 404 to a version request.
func (c *Client) locate(s *session, name string) (*Region, error) {
	asked := cmp.Or(name, s.User.DefaultRegion)
	name = strings.ToUpper(asked)
	if c.config.ComputeEndpoint != "" && name != "" {
		return c.region(name, c.config.ComputeEndpoint), nil
	}
	urls := s.endpoints(c.config.EndpointType)
	if len(urls) == 0 && len(s.endpoints(EndpointPublic)) == 0 && c.config.ComputeEndpoint == "" {
		return nil, ErrNoCloudServers
	}
	if name == "" || urls[name] == "" {
		return nil, &RegionError{Region: asked, EndpointType: c.config.EndpointType, Known: slices.Sorted(maps.Keys(urls))}
	}
	return c.region(name, urls[name]), nil
}

// endpoints returns the URLs of Cloud Servers v2 by region.
func (s *session) endpoints(t EndpointType) map[string]string {
	urls := map[string]string{}
	for _, entry := range s.Catalog {
		if entry.Name != serviceName || entry.Type != serviceType {
			continue
		}
		for _, endpoint := range entry.Endpoints {
			url := endpoint.PublicURL
			if t == EndpointInternal {
				url = endpoint.InternalURL
			}
			if url != "" {
				urls[strings.ToUpper(endpoint.Region)] = url
			}
		}
	}
	return urls
}

// Region is the Cloud Servers API v2 of one region.
type Region struct {
	Name     string // as the catalog spells it: upper case
	client   *Client
	endpoint string // ends with a slash
	shared   sharedServers

	mu           sync.Mutex
	watcher      *watcher  // nil while nobody waits
	refusedLists int       // lists in a row that the API refused
	refusedAt    time.Time // when it refused the last one
}

// region returns the one Region of a name, so that its callers share what they
// read.
func (c *Client) region(name, url string) *Region {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.regions[name] == nil {
		c.regions[name] = &Region{
			Name: name, client: c, endpoint: gophercloud.NormalizeURL(url),
			shared: sharedServers{servers: map[string]*Server{}, actedAt: map[string]time.Time{}},
		}
	}
	return c.regions[name]
}

func (r *Region) url(path ...string) string { return r.endpoint + strings.Join(path, "/") }
