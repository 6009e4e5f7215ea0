package stub

import (
	"net/http"
	"slices"
	"strings"
)

// The headers by which a client of Nova asks for a microversion.
const (
	headerMicroversion       = "Openstack-Api-Version"
	headerLegacyMicroversion = "X-Openstack-Nova-Api-Version"
)

// microversion is the only one that the stub has.
const microversion = "2.1"

// versionDocument describes a version of the Cloud Servers API. Rackspace's knows
// nothing of microversions.
func versionDocument(c *call) object {
	document := object{
		"id": "v2.0", "status": "SUPPORTED", "version": "", "min_version": "", "updated": "2011-01-21T11:33:21Z",
		"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2"}},
	}
	if c.version == versionNova {
		document = object{
			"id": "v2.1", "status": "CURRENT", "version": microversion, "min_version": microversion, "updated": "2013-07-23T11:33:21Z",
			"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}},
		}
	}
	document["links"] = []object{
		{"rel": "self", "href": c.base + "/" + c.region + "/" + c.version + "/"},
		{"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"},
	}
	return object{"version": document}
}

// refuseMicroversion refuses a request to Nova for another microversion than the
// stub has; nil when it may pass.
func (c *call) refuseMicroversion() *answer {
	asked := c.header.Get(headerLegacyMicroversion)
	if compute, ok := strings.CutPrefix(c.header.Get(headerMicroversion), "compute "); ok {
		asked = compute
	}
	if c.version != versionNova || slices.Contains([]string{"", "latest", microversion}, asked) {
		return nil
	}
	return refuseAs("computeFault", http.StatusNotAcceptable,
		"Version "+asked+" is not supported by the API. Minimum is "+microversion+" and maximum is "+microversion+".")
}

// nameMicroversion says which microversion an answer of Nova is in.
func (c *call) nameMicroversion(a *answer) {
	if c.version == versionNova {
		a.header.Set(headerMicroversion, "compute "+microversion)
		a.header.Set(headerLegacyMicroversion, microversion)
	}
}

// flavors is GET …/flavors, …/flavors/detail and …/flavors/{id}: the flavors of the
// project's servers.
func (s *Stub) flavors(c *call) *answer {
	seen, documents := map[string]bool{}, []object{}
	for _, id := range s.order {
		server := s.find(id)
		if server == nil || server.Region != c.region || server.TenantID != c.tenant || seen[server.FlavorID] {
			continue
		}
		seen[server.FlavorID] = true
		document := c.flavor(server.FlavorID)
		switch {
		case len(c.rest) == 2 && c.rest[1] == server.FlavorID:
			return reply(http.StatusOK, object{"flavor": document})
		case len(c.rest) == 1:
			document = object{"id": document["id"], "name": document["name"], "links": document["links"]}
		}
		documents = append(documents, document)
	}
	if len(c.rest) == 1 || len(c.rest) == 2 && c.rest[1] == "detail" {
		return reply(http.StatusOK, object{"flavors": documents})
	}
	return refuse(http.StatusNotFound, "Flavor "+c.rest[1]+" could not be found.")
}

// flavor is a flavor as the API shows it. All are of the same size.
func (c *call) flavor(id string) object {
	return object{
		"id": id, "name": id, "vcpus": coresOfServer, "ram": ramOfServer, "disk": diskOfServer, "swap": "", "rxtx_factor": 1.0,
		"OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": true,
		"links": []object{c.link("self", "/"+c.version, "flavors", id), c.link("bookmark", "", "flavors", id)},
	}
}
