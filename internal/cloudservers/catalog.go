package cloudservers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
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
func (c *Client) locate(g *grant, name string) (*Region, error) {
	if name == "" {
		name = g.defaultRegion
	}
	if c.config.ComputeEndpoint != "" && name != "" {
		return c.region(strings.ToUpper(name), c.config.ComputeEndpoint), nil
	}
	endpoints := g.endpoints(c.config.EndpointType)
	if len(endpoints) == 0 && len(g.endpoints(EndpointPublic)) == 0 && c.config.ComputeEndpoint == "" {
		return nil, ErrNoCloudServers
	}
	known := make([]string, 0, len(endpoints))
	for _, endpoint := range endpoints {
		if name != "" && strings.EqualFold(endpoint.Region, name) {
			return c.region(strings.ToUpper(endpoint.Region), endpoint.url(c.config.EndpointType)), nil
		}
		known = append(known, strings.ToUpper(endpoint.Region))
	}
	slices.Sort(known)
	return nil, &RegionError{Region: name, EndpointType: c.config.EndpointType, Known: known}
}

// region returns the one Region of a name, so that its callers share what they
// read.
func (c *Client) region(name, url string) *Region {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.regions[name] == nil {
		c.regions[name] = &Region{
			Name:   name,
			client: c,
			compute: &gophercloud.ServiceClient{
				ProviderClient: c.http,
				Endpoint:       gophercloud.NormalizeURL(url),
			},
		}
	}
	return c.regions[name]
}

type endpoint struct{ tokens.Endpoint }

func (e endpoint) url(t EndpointType) string {
	if t == EndpointInternal {
		return e.InternalURL
	}
	return e.PublicURL
}

func (g *grant) endpoints(t EndpointType) []endpoint {
	var found []endpoint
	for _, entry := range g.catalog {
		if entry.Name != serviceName || entry.Type != serviceType {
			continue
		}
		for _, e := range entry.Endpoints {
			if e := (endpoint{e}); e.url(t) != "" {
				found = append(found, e)
			}
		}
	}
	return found
}
