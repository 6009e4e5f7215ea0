package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// serverObject is a server in a file of servers, or what is to change of one. Its
// fields are named as the API names them. What the API does not have is in Stub.
type serverObject struct {
	ID         *string              `json:"id"`
	Name       *string              `json:"name"`
	Status     *string              `json:"status"`
	Flavor     *flavorObject        `json:"flavor"`
	HostID     *string              `json:"hostId"`
	AccessIPv4 *string              `json:"accessIPv4"`
	AccessIPv6 *string              `json:"accessIPv6"`
	Addresses  map[string][]address `json:"addresses"`
	Metadata   map[string]string    `json:"metadata"`
	Stub       behavior             `json:"stub"`
}

// UnmarshalJSON reads a server, and names the field that is wrong.
func (v *serverObject) UnmarshalJSON(text []byte) error { return decode(text, v) }

// flavorObject is the flavor of a server.
type flavorObject struct {
	ID string `json:"id"`
}

// UnmarshalJSON reads a flavor, and names the field that is wrong.
func (f *flavorObject) UnmarshalJSON(text []byte) error { return decode(text, f) }

// address is an address of a server in one of its networks.
type address struct {
	Addr    string `json:"addr"`
	Version int    `json:"version"`
}

// UnmarshalJSON reads an address, and names the field that is wrong.
func (a *address) UnmarshalJSON(text []byte) error {
	if err := decode(text, a); err != nil {
		return err
	}
	parsed, err := netip.ParseAddr(a.Addr)
	if err != nil {
		return wrong("addr", "got %q, want an IP address", a.Addr)
	}
	if want := versionOf(parsed); a.Version != 0 && a.Version != want {
		return wrong("version", "got %d, want %d for %s", a.Version, want, a.Addr)
	}
	return nil
}

func versionOf(ip netip.Addr) int {
	if ip.Is4() {
		return 4
	}
	return 6
}

// behavior is what a server of the stub does.
type behavior struct {
	Region           *string   `json:"region"`
	Healthy          *string   `json:"healthy"`
	UnhealthyAs      *string   `json:"unhealthy_as"`
	Migration        *string   `json:"migration"`
	MigrationTakes   *duration `json:"migration_takes"`
	Confirmation     *string   `json:"confirmation"`
	OriginalHostDown *bool     `json:"original_host_down"`
	Locked           *bool     `json:"locked"`
}

// UnmarshalJSON reads a behavior, and names the field that is wrong.
func (b *behavior) UnmarshalJSON(text []byte) error { return decode(text, b) }

// The words of a behavior, and what they mean.
var (
	migrations = map[string]stub.Outcome{
		"succeeds": stub.OutcomeMoves, "no_valid_host": stub.OutcomeNoValidHost, "fails": stub.OutcomeFails,
		"fails_on_new_host": stub.OutcomeFinishFails, "interrupted": stub.OutcomeInterrupted,
		"refused": stub.OutcomeNoValidHostAtOnce, "same_host": stub.OutcomeSameHost, "never_ends": stub.OutcomeNeverEnds,
	}
	confirmations = map[string]stub.ConfirmOutcome{
		"succeeds": stub.ConfirmSucceeds, "fails": stub.ConfirmFails, "never_ends": stub.ConfirmNeverEnds,
	}
	healths = map[string]func(unhealthy stub.Health) func(stub.Visit) stub.Health{
		"always":                func(stub.Health) func(stub.Visit) stub.Health { return nil },
		"only_on_original_host": stub.HealthyOnOriginalHost,
		"never": func(unhealthy stub.Health) func(stub.Visit) stub.Health {
			return func(stub.Visit) stub.Health { return unhealthy }
		},
	}
	unhealthies = map[string]stub.Health{
		"wrong_answer": stub.Wrong, "closed": stub.Closed, "silent": stub.Silent, "dropped": stub.Dropped,
	}
)

// change sets the fields of a server that are given. The speed is the factor by which
// migrations are faster than observed.
func (v *serverObject) change(server *stub.Server, speed float64) error {
	for _, field := range []struct{ given, to *string }{
		{v.ID, &server.ID}, {v.Name, &server.Name}, {v.HostID, &server.HostID}, {v.Status, &server.Status},
		{v.AccessIPv4, &server.AccessIPv4}, {v.AccessIPv6, &server.AccessIPv6}, {v.Stub.Region, &server.Region},
	} {
		if field.given != nil {
			*field.to = *field.given
		}
	}
	if v.Status != nil && !slices.Contains(stub.Statuses(), *v.Status) {
		return wrong("status", "got %q, want %s", *v.Status, listed(stub.Statuses(), "or"))
	}
	if v.Flavor != nil {
		server.FlavorID = v.Flavor.ID
	}
	if v.Metadata != nil {
		server.Metadata = v.Metadata
	}
	if v.Addresses != nil {
		server.Addresses = map[string][]string{}
		for network, addresses := range v.Addresses {
			for _, given := range addresses {
				server.Addresses[network] = append(server.Addresses[network], given.Addr)
			}
		}
	}
	if err := v.Stub.change(server, speed); err != nil {
		return inField("stub", err)
	}
	return nil
}

func (b *behavior) change(server *stub.Server, speed float64) (err error) {
	if b.Migration != nil {
		if server.Outcome, err = wordOf("migration", *b.Migration, migrations); err != nil {
			return err
		}
	}
	if b.MigrationTakes != nil {
		observed := stub.ObservedTiming()
		whole := observed.Prepare + observed.Migrate + observed.Migrated + observed.Finish
		server.Timing = observed.Scaled(speed * float64(whole) / float64(*b.MigrationTakes))
	}
	if b.Confirmation != nil {
		if server.ConfirmOutcome, err = wordOf("confirmation", *b.Confirmation, confirmations); err != nil {
			return err
		}
	}
	if b.OriginalHostDown != nil {
		server.SourceDown = *b.OriginalHostDown
	}
	if b.Locked != nil {
		server.Locked = *b.Locked
	}
	return b.changeHealth(server)
}

func (b *behavior) changeHealth(server *stub.Server) error {
	unhealthy := stub.Wrong
	if b.UnhealthyAs != nil {
		var err error
		if unhealthy, err = wordOf("unhealthy_as", *b.UnhealthyAs, unhealthies); err != nil {
			return err
		}
		if b.Healthy == nil {
			return wrong("unhealthy_as", `it needs the field "healthy", which says when the server is healthy`)
		}
	}
	if b.Healthy == nil {
		return nil
	}
	health, err := wordOf("healthy", *b.Healthy, healths)
	if err != nil {
		return err
	}
	server.Health = health(unhealthy)
	return nil
}

// readServers reads a file of servers.
func readServers(path string, speed float64) ([]stub.Server, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the servers: %w", err)
	}
	var file struct {
		Servers []json.RawMessage `json:"servers"`
	}
	if err := decode(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(file.Servers) == 0 {
		return nil, fmt.Errorf(`%s: it has no servers; the field "servers" lists them`, path)
	}
	servers := make([]stub.Server, 0, len(file.Servers))
	for i, text := range file.Servers {
		var given serverObject
		err := json.Unmarshal(text, &given)
		var server stub.Server
		if err == nil {
			server, err = given.seed(servers, speed)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: server %s: %w", path, position(i, given.Name), err)
		}
		servers = append(servers, server)
	}
	return servers, nil
}

// position says which server of a file is meant.
func position(i int, name *string) string {
	if name == nil {
		return fmt.Sprint(i + 1)
	}
	return fmt.Sprintf("%d (%s)", i+1, *name)
}

// A server whose address is not given gets one of the first block. The last number of the
// address is firstAddress for the first such server, and can go up to lastAddress.
const (
	firstAddress = 11
	lastAddress  = 254
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// seed is the server that the file describes. It is checked against the servers that come
// before it in the file.
func (v *serverObject) seed(before []stub.Server, speed float64) (stub.Server, error) {
	var server stub.Server
	if err := v.change(&server, speed); err != nil {
		return server, err
	}
	if server.Region == "" {
		server.Region = stub.DefaultRegions[0]
	}
	switch {
	case server.Name == "":
		return server, wrong("name", `it must be set`)
	case v.ID != nil && !uuid.MatchString(server.ID):
		return server, wrong("id", `got %q, want a UUID in lower case, such as %q; without it the stub chooses one`, server.ID, stub.SampleWeb1)
	case !slices.Contains(stub.DefaultRegions, server.Region):
		return server, wrong("stub.region", `got %q, want %s`, server.Region, listed(stub.DefaultRegions, "or"))
	}
	if v.AccessIPv4 == nil {
		server.AccessIPv4 = nextAddress(before)
		if server.AccessIPv4 == "" {
			return server, wrong("accessIPv4", `the stub has no address left; set it for all but %d servers`, lastAddress-firstAddress+1)
		}
	} else if err := checkAddress("accessIPv4", server.AccessIPv4, 4); err != nil {
		return server, err
	}
	if err := checkAddress("accessIPv6", server.AccessIPv6, 6); err != nil {
		return server, err
	}
	for i, other := range before {
		switch {
		case v.ID != nil && server.ID == other.ID:
			return server, wrong("id", `server %s has the same id`, position(i, &other.Name))
		case server.AccessIPv4 != "" && server.AccessIPv4 == other.AccessIPv4:
			return server, wrong("accessIPv4", `server %s has the same address`, position(i, &other.Name))
		}
	}
	return server, nil
}

// nextAddress is the address in the first block of the next server whose address is not
// given; empty when none is left.
func nextAddress(before []stub.Server) string {
	last := firstAddress
	for _, server := range before {
		if strings.HasPrefix(server.AccessIPv4, blockPrefix) {
			last++
		}
	}
	if last > lastAddress {
		return ""
	}
	return fmt.Sprintf("%s%d", blockPrefix, last)
}

// checkAddress checks an access address that a file gives. It may be empty.
func checkAddress(field, given string, version int) error {
	if given == "" {
		return nil
	}
	ip, err := netip.ParseAddr(given)
	switch {
	case err != nil || versionOf(ip) != version:
		return wrong(field, "got %q, want an IPv%d address", given, version)
	case blocksOfStubs.Contains(ip):
		return wrong(field, "the addresses %s are those that the stub chooses; leave the field out, or set another address", blocksOfStubs)
	}
	return nil
}
