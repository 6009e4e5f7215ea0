package cloudservers

import "encoding/json"

// Networks of every Cloud Server.
const (
	networkPublic  = "public"
	networkPrivate = "private"
)

// addresses are a server's addresses by network. What has another shape than
// the API documents is left out: no server is unreadable because of it.
type addresses map[string][]networkAddress

type networkAddress struct {
	Address string `json:"addr"`
	Version int    `json:"version"`
}

// UnmarshalJSON reads the networks that it can.
func (a *addresses) UnmarshalJSON(data []byte) error {
	var networks map[string]json.RawMessage
	if json.Unmarshal(data, &networks) != nil {
		return nil
	}
	*a = addresses{}
	for name, value := range networks {
		var list []networkAddress
		if json.Unmarshal(value, &list) == nil {
			(*a)[name] = list
		}
	}
	return nil
}

// first is a network's first address, IPv4 before IPv6.
func (a addresses) first(network string) string {
	for _, version := range []int{4, 6} {
		for _, candidate := range a[network] {
			if candidate.Version == version && candidate.Address != "" {
				return candidate.Address
			}
		}
	}
	return ""
}

// Address is where to reach the server: its access address, else its public,
// else its private one (ServiceNet), IPv4 before IPv6. It is empty for a server
// that has none.
func (s *Server) Address() string {
	for _, address := range []string{s.AccessIPv4, s.AccessIPv6, s.Addresses.first(networkPublic), s.Addresses.first(networkPrivate)} {
		if address != "" {
			return address
		}
	}
	return ""
}
