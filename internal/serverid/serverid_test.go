package serverid_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
)

func TestValid(t *testing.T) {
	for _, text := range []string{
		"", "web-1", "../servers", strings.ToUpper(serverid.Example), serverid.Example + "\n", " " + serverid.Example,
		serverid.Example[1:], serverid.Example + "0", strings.ReplaceAll(serverid.Example, "-", ""),
		strings.Replace(serverid.Example, "8", "g", 1), "8c65cb680-681-4c30-bc88-6b83a8a26aee",
	} {
		if serverid.Valid(text) {
			t.Errorf("got %q as the id of a server, want it refused", text)
		}
	}
	if !serverid.Valid(serverid.Example) {
		t.Errorf("got %q refused, want it to be the id of a server", serverid.Example)
	}
}
