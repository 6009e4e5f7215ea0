package cloudservers

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
	keystone "github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// Cloud Servers v2, and the usual name of Nova, in a catalog. Rackspace's catalog lists
// the retired v1.0 under the same type, and another name.
const (
	serviceType = "compute"
	serviceName = "cloudServersOpenStack"
	novaName    = "nova"
)

// RegionError says that no Cloud Servers endpoint fits what was asked for.
type RegionError struct {
	Region       string // as asked for; empty when none was
	EndpointType gophercloud.Availability
	Known        []string // the account's regions that have such an endpoint
}

func (e *RegionError) Error() string {
	if e.Region == "" {
		return "no region is set, and there is no default one; the account has " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("the account has no %s Cloud Servers endpoint in region %q; it has %s",
		e.EndpointType, e.Region, strings.Join(e.Known, ", "))
}

// ErrNoCloudServers says that the account's catalog has no Cloud Servers v2 or Nova.
var ErrNoCloudServers = errors.New("the account's service catalog has no compute service")

// locate finds a region's endpoint in the catalog. It does not ask the endpoint for its
// versions, since Cloud Servers answers such a request with 404.
func (c *Client) locate(s *session, name string) (*Region, error) {
	known := map[string]string{} // the regions with such an endpoint, and its URL
	for _, e := range s.endpoints {
		region := cmp.Or(e.RegionID, e.Region)
		if e.Interface == string(c.config.EndpointType) && known[region] == "" && e.URL != "" {
			known[region] = e.URL
		}
	}
	regions := slices.Sorted(maps.Keys(known))
	asked := cmp.Or(name, s.region)
	if asked == "" && len(regions) == 1 {
		asked = regions[0]
	}
	name = c.spelledAs(asked, regions)
	switch {
	case c.config.ComputeEndpoint != "" && name != "":
		return c.region(name, c.config.ComputeEndpoint), nil
	case len(s.endpoints) == 0 && c.config.ComputeEndpoint == "":
		return nil, ErrNoCloudServers
	case known[name] == "":
		return nil, &RegionError{Region: asked, EndpointType: c.config.EndpointType, Known: regions}
	}
	return c.region(name, known[name]), nil
}

// spelledAs returns a region's name as the catalog spells it. Another region whose
// name differs in letter case alone does not count, where the catalog has both.
func (c *Client) spelledAs(asked string, regions []string) string {
	if slices.Contains(regions, asked) {
		return asked
	}
	if i := slices.IndexFunc(regions, func(region string) bool { return strings.EqualFold(region, asked) }); i >= 0 {
		return regions[i]
	}
	if c.config.Credentials.Keystone == nil {
		return strings.ToUpper(asked)
	}
	return asked
}

// endpointsOf finds the endpoints of Cloud Servers v2 in a catalog of the Identity API
// v2.0, and returns them as Keystone v3 writes them.
func endpointsOf(catalog []tokens.CatalogEntry) (found []keystone.Endpoint) {
	for _, entry := range catalog {
		if entry.Name != serviceName || entry.Type != serviceType {
			continue
		}
		for _, e := range entry.Endpoints {
			region := strings.ToUpper(e.Region)
			found = append(found,
				keystone.Endpoint{Interface: string(gophercloud.AvailabilityPublic), Region: region, URL: e.PublicURL},
				keystone.Endpoint{Interface: string(gophercloud.AvailabilityInternal), Region: region, URL: e.InternalURL})
		}
	}
	return found
}

// endpointsOfNova finds the endpoints of Nova in a catalog of Keystone v3. A cloud can
// have an entry of its own for each region. Other services can have Nova's type. They
// count only where no service has its name.
func endpointsOfNova(catalog []keystone.CatalogEntry) (found []keystone.Endpoint) {
	hasNova := slices.ContainsFunc(catalog, func(entry keystone.CatalogEntry) bool {
		return entry.Type == serviceType && entry.Name == novaName && len(entry.Endpoints) > 0
	})
	for _, entry := range catalog {
		if entry.Type == serviceType && (entry.Name == novaName || !hasNova) {
			found = append(found, entry.Endpoints...)
		}
	}
	return found
}

// Region is the Cloud Servers API v2 of one region.
type Region struct {
	Name     string // as the catalog spells it; upper case with the Identity API v2.0
	client   *Client
	endpoint string // ends with a slash
	shared   sharedServers

	listsAllTenants atomic.Bool // lists are known to have the servers of all tenants

	mu           sync.Mutex
	watcher      *watcher  // nil while nobody waits
	refusedLists int       // lists in a row that the API refused
	refusedAt    time.Time // when it refused the last one
}

// region returns the one Region of a name, so that its callers share what they
// read.
func (c *Client) region(name, url string) *Region {
	region, _ := c.regions.LoadOrStore(name, &Region{
		Name: name, client: c, endpoint: gophercloud.NormalizeURL(url),
		shared: sharedServers{interval: c.config.PollInterval, servers: map[string]*Server{}, actedAt: map[string]time.Time{}},
	})
	return region.(*Region)
}

func (r *Region) url(path ...string) string { return r.endpoint + strings.Join(path, "/") }
