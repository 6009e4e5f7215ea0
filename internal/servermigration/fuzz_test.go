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
		asked := got.ServerID.ValueString()
		if !serverid.Valid(asked) {
			return // which is refused, before anything is sent
		}
		if strings.ContainsAny(asked, "/ ?#%") || len(asked) != len(server) {
			t.Errorf("%q: got server %q, which is no UUID", id, asked)
		}
		want := asked
		if region := got.Region.ValueString(); region != "" {
			want = region + "/" + asked
		}
		if got.request != "" {
			want += "/" + got.request
		}
		if strings.Contains(got.request, "/") || id != want && id != want+"/" {
			t.Errorf("got %q out of %q", want, id)
		}
	})
}
