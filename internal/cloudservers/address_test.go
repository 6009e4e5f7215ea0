package cloudservers

import (
	"encoding/json"
	"testing"
)

func TestServer_hasAnAddressHoweverTheAPITellsIt(t *testing.T) {
	const networks = `"addresses":{"isolated":[{"addr":"10.9.9.9","version":4}],"private":[{"addr":"10.1.2.3","version":4}],"public":[{"addr":"2001:db8::1","version":6},{"addr":"192.0.2.7","version":4}]}`
	tests := []struct{ name, body, want string }{
		{"the access address", `{"accessIPv4":"192.0.2.1","accessIPv6":"2001:db8::2",` + networks + `}`, "192.0.2.1"},
		{"the IPv6 access address", `{"accessIPv4":"","accessIPv6":"2001:db8::2",` + networks + `}`, "2001:db8::2"},
		{"the public address", `{` + networks + `}`, "192.0.2.7"},
		{"the public IPv6 address", `{"addresses":{"public":[{"addr":"2001:db8::1","version":6}]}}`, "2001:db8::1"},
		{"the private address", `{"addresses":{"public":[],"private":[{"addr":"10.1.2.3","version":4}]}}`, "10.1.2.3"},
		{"none", `{"accessIPv4":null,"addresses":null}`, ""},
		{"networks of another shape", `{"addresses":[1,2]}`, ""},
		{"a network of another shape", `{"addresses":{"public":"192.0.2.7","private":[{"addr":"10.1.2.3","version":4}]}}`, "10.1.2.3"},
		{"an address of another shape", `{"addresses":{"public":[{"addr":7,"version":"4"}]}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var server Server
			if err := json.Unmarshal([]byte(test.body), &server); err != nil {
				t.Fatal(err)
			}
			if got := server.Address(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
