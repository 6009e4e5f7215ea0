package servermigration

import (
	"strings"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
)

func FuzzImportID(f *testing.F) {
	const server = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
	for _, id := range []string{server, "ORD/" + server, "ord/" + server, "/" + server, server + "/", "ORD/" + server + "/req-1", "", "/", "ORD", strings.ToUpper(server), " " + server, "ORD/../" + server, "ORD/" + server + "/", "ORD/" + server + "/req-1/more"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		got := parseImportID(id)
		serverID := got.ServerID.ValueString()
		if !serverid.Valid(serverID) {
			return // the provider refuses such an id before it sends a request
		}
		if strings.ContainsAny(serverID, "/ ?#%") || len(serverID) != len(server) {
			t.Errorf("%q: got server %q, want a UUID", id, serverID)
		}
		joined := serverID
		if region := got.Region.ValueString(); region != "" {
			joined = region + "/" + serverID
		}
		if got.request != "" {
			joined += "/" + got.request
		}
		if strings.Contains(got.request, "/") || id != joined && id != joined+"/" {
			t.Errorf("got the parts %q, want %q", joined, id)
		}
	})
}
