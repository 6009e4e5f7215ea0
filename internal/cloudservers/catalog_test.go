package cloudservers

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
	tokens3 "github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// rackspaceCatalog has two entries of type compute, the wrong one first.
func rackspaceCatalog() []tokens.CatalogEntry {
	return []tokens.CatalogEntry{
		{Name: "cloudServers", Type: "compute", Endpoints: []tokens.Endpoint{{PublicURL: "https://servers.example/v1.0/1"}}},
		{Name: "cloudFiles", Type: "object-store", Endpoints: []tokens.Endpoint{{Region: "ORD", PublicURL: "https://files.example"}}},
		{Name: "cloudServersOpenStack", Type: "compute", Endpoints: []tokens.Endpoint{
			{Region: "ORD", PublicURL: "https://ord.example/v2/1", InternalURL: "https://snet-ord.example/v2/1"},
			{Region: "DFW", PublicURL: "https://dfw.example/v2/1"},
		}},
	}
}

// keystoneCatalog has two entries of type compute, the wrong one first.
func keystoneCatalog() []tokens3.CatalogEntry {
	return []tokens3.CatalogEntry{
		{Name: "cells", Type: "compute", Endpoints: []tokens3.Endpoint{{Region: "RegionOne", Interface: "public", URL: "https://cells.example/v2.1"}}},
		{Name: "nova", Type: "compute", Endpoints: []tokens3.Endpoint{
			{RegionID: "RegionOne", Region: "an older name", Interface: "public", URL: "https://one.example/v2.1"},
			{RegionID: "RegionOne", Interface: "admin", URL: "https://admin.one.example/v2.1"},
			{RegionID: "RegionOne", Interface: "internal", URL: "https://internal.one.example/v2.1/p1"},
			{Region: "east-2", Interface: "public", URL: "https://east.example/v2.1/p1"},
		}},
		{Name: "other", Type: "compute", Endpoints: []tokens3.Endpoint{{Region: "east-2", Interface: "public", URL: "https://other.example/v2.1"}}},
		{Name: "glance", Type: "image", Endpoints: []tokens3.Endpoint{{Region: "RegionOne", Interface: "public", URL: "https://images.example"}}},
	}
}

// catalogByRegion has an entry of Nova for each region.
func catalogByRegion(name string) []tokens3.CatalogEntry {
	var catalog []tokens3.CatalogEntry
	for _, region := range []string{"NORTH", "north", "south"} {
		catalog = append(catalog, tokens3.CatalogEntry{Name: name, Type: "compute", Endpoints: []tokens3.Endpoint{
			{Region: region, Interface: "public", URL: "https://" + region + ".example/v2.1"},
		}})
	}
	return catalog
}

func TestLocate_findsTheRegionInTheRightEntry(t *testing.T) {
	identity, nova := endpointsOf(rackspaceCatalog()), endpointsOfNova(keystoneCatalog())
	keystone := Credentials{Keystone: &gophercloud.AuthOptions{TokenID: "t"}}
	tests := []struct {
		name     string
		config   Config
		session  *session
		region   string
		want     string
		wantURL  string
		wantErr  error
		regional *RegionError
	}{
		{name: "by name", region: "DFW", want: "DFW", wantURL: "https://dfw.example/v2/1/"},
		{name: "in any letter case", region: "dfw", want: "DFW", wantURL: "https://dfw.example/v2/1/"},
		{name: "the user's default", session: &session{region: "ORD", endpoints: identity}, want: "ORD", wantURL: "https://ord.example/v2/1/"},
		{name: "ServiceNet", config: Config{EndpointType: gophercloud.AvailabilityInternal}, region: "ord", want: "ORD", wantURL: "https://snet-ord.example/v2/1/"},
		{name: "the endpoint of the configuration", config: Config{ComputeEndpoint: "http://127.0.0.1:8774/v2/1"}, region: "lab", want: "LAB", wantURL: "http://127.0.0.1:8774/v2/1/"},
		{name: "none that is known", region: "XYZ", regional: &RegionError{Region: "XYZ", EndpointType: gophercloud.AvailabilityPublic, Known: []string{"DFW", "ORD"}}},
		{name: "no ServiceNet there", config: Config{EndpointType: gophercloud.AvailabilityInternal}, region: "DFW", regional: &RegionError{Region: "DFW", EndpointType: gophercloud.AvailabilityInternal, Known: []string{"ORD"}}},
		{name: "none at all", regional: &RegionError{EndpointType: gophercloud.AvailabilityPublic, Known: []string{"DFW", "ORD"}}},
		{name: "another cloud", session: &session{endpoints: endpointsOf([]tokens.CatalogEntry{{Name: "nova", Type: "compute"}})}, region: "ORD", wantErr: ErrNoCloudServers},
		{name: "Keystone's, by name", session: &session{endpoints: nova}, region: "RegionOne", want: "RegionOne", wantURL: "https://one.example/v2.1/"},
		{name: "Keystone's, in any letter case", session: &session{endpoints: nova}, region: "EAST-2", want: "east-2", wantURL: "https://east.example/v2.1/p1/"},
		{name: "Keystone's only one", config: Config{EndpointType: gophercloud.AvailabilityInternal}, session: &session{endpoints: nova}, want: "RegionOne", wantURL: "https://internal.one.example/v2.1/p1/"},
		{name: "none of several of Keystone's", session: &session{endpoints: nova}, regional: &RegionError{EndpointType: gophercloud.AvailabilityPublic, Known: []string{"RegionOne", "east-2"}}},
		{name: "none of Keystone's that is known", session: &session{endpoints: nova}, region: "west", regional: &RegionError{Region: "west", EndpointType: gophercloud.AvailabilityPublic, Known: []string{"RegionOne", "east-2"}}},
		{name: "Keystone's, with an entry for each region", session: &session{endpoints: endpointsOfNova(catalogByRegion("nova"))}, region: "south", want: "south", wantURL: "https://south.example/v2.1/"},
		{name: "none of Keystone's, with an entry for each region", session: &session{endpoints: endpointsOfNova(catalogByRegion("nova")[1:])}, regional: &RegionError{EndpointType: gophercloud.AvailabilityPublic, Known: []string{"north", "south"}}},
		{name: "Keystone's, with an entry of another name for each region", session: &session{endpoints: endpointsOfNova(catalogByRegion(""))}, region: "South", want: "south", wantURL: "https://south.example/v2.1/"},
		{name: "Keystone's, where two names differ in letter case alone", session: &session{endpoints: endpointsOfNova(catalogByRegion("nova"))}, region: "north", want: "north", wantURL: "https://north.example/v2.1/"},
		{name: "Keystone's, with an administrator's endpoint alone", session: &session{endpoints: []tokens3.Endpoint{{Interface: "admin", Region: "north", URL: "https://admin.example"}}}, region: "north", regional: &RegionError{Region: "north", EndpointType: gophercloud.AvailabilityPublic}},
		{name: "no Nova", session: &session{endpoints: endpointsOfNova(keystoneCatalog()[3:])}, region: "RegionOne", wantErr: ErrNoCloudServers},
		{name: "an endpoint of the configuration, and Keystone", config: Config{Credentials: keystone, ComputeEndpoint: "http://127.0.0.1:8774/v2.1"}, session: &session{endpoints: nova}, region: "regionone", want: "RegionOne", wantURL: "http://127.0.0.1:8774/v2.1/"},
		{name: "an endpoint of the configuration in a region that Keystone does not know", config: Config{Credentials: keystone, ComputeEndpoint: "http://127.0.0.1:8774/v2.1"}, session: &session{endpoints: nova}, region: "Lab", want: "Lab", wantURL: "http://127.0.0.1:8774/v2.1/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, err := New(test.config)
			if err != nil {
				t.Fatal(err)
			}
			if test.session == nil {
				test.session = &session{endpoints: identity}
			}
			got, err := client.locate(test.session, test.region)
			var regional *RegionError
			switch {
			case errors.As(err, &regional):
				if diff := cmp.Diff(test.regional, regional); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
				if regional.Error() == "" {
					t.Error("the error says nothing")
				}
			case err != nil || test.wantErr != nil:
				if !errors.Is(err, test.wantErr) {
					t.Errorf("got error %v, want %v", err, test.wantErr)
				}
			case got.Name != test.want || got.endpoint != test.wantURL:
				t.Errorf("got %s at %s, want %s at %s", got.Name, got.endpoint, test.want, test.wantURL)
			}
		})
	}
}

func TestSplitVersion(t *testing.T) {
	for endpoint, want := range map[string][2]string{
		"https://identity.example/v2.0/":         {"https://identity.example/", "v2.0"},
		"https://identity.example/v2.0/tokens":   {"https://identity.example/", "v2.0"},
		"https://identity.example/v3":            {"https://identity.example/", "v3"},
		"https://identity.example:5000/v3/?a=b":  {"https://identity.example:5000/", "v3"},
		"https://cloud.example/v1/keystone/v3/":  {"https://cloud.example/v1/keystone/", "v3"},
		"https://cloud.example/dev1/identity/v3": {"https://cloud.example/dev1/identity/", "v3"},
		"https://cloud.example/identity":         {"https://cloud.example/identity/", ""},
		"https://v3.example":                     {"https://v3.example/", ""},
	} {
		base, version, err := SplitVersion(endpoint)
		if got := [2]string{base, version}; got != want || err != nil {
			t.Errorf("%s: got %q (%v), want %q", endpoint, got, err, want)
		}
	}
}
