package cloudservers

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
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

func defaultsTo(region string) *session {
	s := &session{}
	s.User.DefaultRegion = region
	return s
}

func TestLocate_findsTheRegionInTheRightEntry(t *testing.T) {
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
		{name: "the user's default", session: defaultsTo("ORD"), want: "ORD", wantURL: "https://ord.example/v2/1/"},
		{name: "ServiceNet", config: Config{EndpointType: EndpointInternal}, region: "ord", want: "ORD", wantURL: "https://snet-ord.example/v2/1/"},
		{name: "the endpoint of the configuration", config: Config{ComputeEndpoint: "http://127.0.0.1:8774/v2/1"}, region: "lab", want: "LAB", wantURL: "http://127.0.0.1:8774/v2/1/"},
		{name: "none that is known", region: "XYZ", regional: &RegionError{Region: "XYZ", EndpointType: EndpointPublic, Known: []string{"DFW", "ORD"}}},
		{name: "no ServiceNet there", config: Config{EndpointType: EndpointInternal}, region: "DFW", regional: &RegionError{Region: "DFW", EndpointType: EndpointInternal, Known: []string{"ORD"}}},
		{name: "none at all", regional: &RegionError{EndpointType: EndpointPublic, Known: []string{"DFW", "ORD"}}},
		{name: "another cloud", session: &session{Catalog: []tokens.CatalogEntry{{Name: "nova", Type: "compute"}}}, region: "ORD", wantErr: ErrNoCloudServers},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, err := New(test.config)
			if err != nil {
				t.Fatal(err)
			}
			if test.session == nil {
				test.session = &session{}
			}
			if test.session.Catalog == nil {
				test.session.Catalog = rackspaceCatalog()
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
