package provider

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

const (
	defaultPollInterval   = 2 * time.Second
	minPollInterval       = 100 * time.Millisecond
	defaultRequestTimeout = time.Minute
	minRequestTimeout     = time.Second
	defaultWarnBefore     = 6 * time.Hour
	defaultMaxRetries     = 5
	maxMaxRetries         = 100
	maxFleet              = 1_000_000 // beyond any account
)

// setting is the value of an argument and where it came from: the provider block,
// unless one of the last two is set.
type setting struct {
	argument string
	value    string // empty when it is not set
	variable string // the environment variable it came from
	entry    string // the entry of clouds.yaml it came from, in words
}

func (s setting) set() bool { return s.value != "" }

// origin names the argument and the place where it is set, for a message.
func (s setting) origin() string {
	if place := s.place(); place != "" {
		return s.argument + " from the " + place
	}
	return s.argument + " from the provider block"
}

// place is where a setting came from, unless that is the provider block.
func (s setting) place() string {
	switch {
	case s.variable != "":
		return "environment variable " + s.variable
	case s.entry != "":
		return s.entry
	}
	return ""
}

// settings reads the arguments of a provider block, and collects what is wrong
// with them.
type settings struct {
	block      map[string]attr.Value
	cloud      map[string]setting // what the entry of clouds.yaml has, if one is asked for
	cloudPlace string             // that entry, in words
	diags      diag.Diagnostics
}

// resolved is what a provider block and the environment ask for.
type resolved struct {
	client        cloudservers.Config
	limits        migration.Limits
	warnBefore    time.Duration
	confirmWindow time.Duration
}

// resolve reads a provider block and the environment. Every problem is reported,
// each with its argument.
func (m *model) resolve() (resolved, diag.Diagnostics) {
	s := &settings{block: map[string]attr.Value{
		argUsername: m.Username, argAPIKey: m.APIKey, argPassword: m.Password, argToken: m.Token,
		argTenantID: m.TenantID, argTenantName: m.TenantName, argRegion: m.Region, argCloud: m.Cloud, argUserID: m.UserID,
		argUserDomainID: m.UserDomainID, argUserDomainName: m.UserDomainName, argProjectDomainID: m.ProjectDomainID, argProjectDomainName: m.ProjectDomainName,
		argApplicationCredentialID: m.ApplicationCredentialID, argApplicationCredentialName: m.ApplicationCredentialName,
		argApplicationCredentialSecret: m.ApplicationCredentialSecret, argCACertFile: m.CACertFile, argInsecure: m.Insecure, argAllTenants: m.AllTenants,
		argIdentityEndpoint: m.IdentityEndpoint, argComputeEndpoint: m.ComputeEndpoint, argEndpointType: m.EndpointType,
		argPollInterval: m.PollInterval, argRequestTimeout: m.RequestTimeout, argMaxRetries: m.MaxRetries, argWarnBefore: m.WarnBefore,
		argConfirmWindow:           m.ConfirmWindow,
		argMaxConcurrentMigrations: m.MaxConcurrentMigrations, argStopAfterFailures: m.StopAfterFailures,
	}}
	s.refuseUnknown()
	if s.diags.HasError() {
		return resolved{}, s.diags
	}
	roots := s.certificates()
	if s.diags.HasError() {
		return resolved{}, s.diags
	}
	trust := s.tls(s.readCloud(), roots)
	if s.diags.HasError() {
		return resolved{}, s.diags
	}
	config := cloudservers.Config{
		TLS:              trust,
		AllTenants:       s.flag(argAllTenants),
		Credentials:      s.credentials(),
		Region:           s.get(argRegion).value,
		IdentityEndpoint: s.endpoint(argIdentityEndpoint),
		IdentityOrigin:   s.placeOf(argIdentityEndpoint),
		ComputeEndpoint:  s.endpoint(argComputeEndpoint),
		EndpointType:     s.endpointType(),
		PollInterval:     s.duration(argPollInterval, defaultPollInterval, minPollInterval),
		RequestTimeout:   s.duration(argRequestTimeout, defaultRequestTimeout, minRequestTimeout),
		Rates:            s.rates(m.RequestsPerMinute),
		MaxRetries:       s.number(argMaxRetries, defaultMaxRetries, 0, maxMaxRetries),
	}
	limits := migration.Limits{
		Concurrent: s.number(argMaxConcurrentMigrations, 0, 1, maxFleet),
		Failures:   s.number(argStopAfterFailures, 0, 1, maxFleet),
	}
	window := migration.ConfirmationWindow
	if config.Credentials.Keystone != nil {
		window = 0 // each cloud has its own, and its API does not tell it
	}
	return resolved{config, limits, s.duration(argWarnBefore, defaultWarnBefore, 0), s.duration(argConfirmWindow, window, 0)}, s.diags
}

// refuseUnknown reports arguments whose values are known only after an apply. Without
// their values, the provider could reach another account.
func (s *settings) refuseUnknown() {
	for argument, value := range s.block {
		if value.IsUnknown() {
			instead := "or set it to a value that is known."
			if variables := environment[argument]; len(variables) > 0 {
				instead = "set it to a value that is known, or set " + oneOf(variables) + "."
			}
			s.diags.AddAttributeError(path.Root(argument), "Provider argument not known yet",
				fmt.Sprintf("The value of %q depends on something that is known only after an apply. "+
					"Apply what it depends on first (-target), %s", argument, instead))
		}
	}
}

// fromBlock reads an argument from the provider block alone.
func (s *settings) fromBlock(argument string) setting {
	value := s.block[argument]
	if value.IsNull() {
		return setting{argument: argument}
	}
	if text, ok := value.(interface{ ValueString() string }); ok {
		return setting{argument: argument, value: text.ValueString()}
	}
	return setting{argument: argument, value: value.String()}
}

// fromCloud reads an argument from the entry of clouds.yaml.
func (s *settings) fromCloud(argument string) setting { return s.cloud[argument] }

// fromEnvironment reads an argument from its environment variables.
func (s *settings) fromEnvironment(argument string) setting {
	for _, variable := range environment[argument] {
		if value := os.Getenv(variable); value != "" {
			return setting{argument: argument, value: value, variable: variable}
		}
	}
	return setting{argument: argument}
}

// get reads an argument: from the provider block, else from the entry of clouds.yaml,
// else from the environment.
func (s *settings) get(argument string) setting { return s.first(argument) }

// first reads the first of some arguments that is set. The place counts more than the
// order of the arguments: all of them are looked for in the provider block, then in the
// entry of clouds.yaml, then in the environment.
func (s *settings) first(arguments ...string) setting {
	for _, read := range []func(string) setting{s.fromBlock, s.fromCloud, s.fromEnvironment} {
		for _, argument := range arguments {
			if from := read(argument); from.set() {
				return from
			}
		}
	}
	return setting{argument: arguments[0]}
}

// placeOf says where an argument is set. It is empty if the argument is not set.
func (s *settings) placeOf(argument string) string {
	switch from := s.get(argument); {
	case from.place() != "":
		return fmt.Sprintf("the %s, which %s in the provider block would override", from.place(), argument)
	case from.set():
		return argument + " in the provider block"
	}
	return ""
}

// invalid reports a setting that cannot be used. problem continues a sentence that begins
// with the name of the setting.
func (s *settings) invalid(from setting, problem string) {
	summary := "Invalid " + strings.ReplaceAll(from.argument, "_", " ")
	if place := from.place(); place != "" {
		s.diags.AddError(summary, fmt.Sprintf("The %s, which stands in for the provider argument %q, %s", place, from.argument, problem))
		return
	}
	s.diags.AddAttributeError(path.Root(from.argument), summary, fmt.Sprintf("The provider argument %q %s", from.argument, problem))
}

// endpoint reads a URL. It must be one of https, because http would show the credentials
// to the network. A loopback address does not need that: its requests stay on the machine.
func (s *settings) endpoint(argument string) string {
	from := s.get(argument)
	if !from.set() {
		return ""
	}
	parsed, err := url.Parse(from.value)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		s.invalid(from, "must be a URL such as "+cloudservers.DefaultIdentityEndpoint+".")
	case parsed.User != nil:
		s.invalid(from, "must not contain a username or password. Credentials belong into username and api_key.")
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		s.invalid(from, fmt.Sprintf("must begin with https://, because credentials are sent there. Plain http is accepted for a loopback address only, and %s is not one.", parsed.Hostname()))
	}
	return from.value
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *settings) endpointType() gophercloud.Availability {
	from := s.get(argEndpointType)
	// OpenStack's clients also take publicURL.
	switch kind := gophercloud.Availability(strings.TrimSuffix(from.value, "URL")); kind {
	case "", gophercloud.AvailabilityPublic:
		return gophercloud.AvailabilityPublic
	case gophercloud.AvailabilityInternal:
		return kind
	default:
		s.invalid(from, fmt.Sprintf("must be %q or %q, not %q.", gophercloud.AvailabilityPublic, gophercloud.AvailabilityInternal, from.value))
		return kind
	}
}

// duration reads a time such as 10s. It is unset where the argument is not set.
func (s *settings) duration(argument string, unset, least time.Duration) time.Duration {
	from := s.get(argument)
	if !from.set() {
		return unset
	}
	value, problem := durations.ParseAtLeast(from.value, least)
	if problem != "" {
		s.invalid(from, problem)
	}
	return value
}

// flag reads an argument that is true or false.
func (s *settings) flag(argument string) bool {
	from := s.get(argument)
	value, err := strconv.ParseBool(cmp.Or(from.value, "false"))
	if err != nil {
		s.invalid(from, fmt.Sprintf("must be true or false, not %q.", from.value))
	}
	return value
}

// rates reads the limits of requests. 0 is a limit that is not set: the client has a
// default for it.
func (s *settings) rates(block *ratesModel) cloudservers.Rates {
	if block == nil {
		return cloudservers.Rates{}
	}
	for name, value := range map[string]attr.Value{"read": block.Read, "write": block.Write} {
		if value.IsUnknown() {
			s.diags.Append(unknownRates(path.Root(argRequestsPerMinute).AtName(name)))
		}
	}
	return cloudservers.Rates{Read: int(block.Read.ValueInt64()), Write: int(block.Write.ValueInt64())}
}

// unknownRates reports limits of requests that are known only after an apply.
func unknownRates(at path.Path) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Provider argument not known yet", fmt.Sprintf(
		"The value of %s depends on something that is known only after an apply. Set it to a value that is known.", at))
}

// number reads a whole number. It is unset where the argument is not set.
func (s *settings) number(argument string, unset, least, most int) int {
	from := s.get(argument)
	if !from.set() {
		return unset
	}
	value, err := strconv.Atoi(from.value)
	if err != nil || value < least || value > most {
		s.invalid(from, fmt.Sprintf("must be a whole number from %d to %d, not %q.", least, most, from.value))
	}
	return value
}

// oneOf names environment variables of which one can be set, for a message.
func oneOf(variables []string) string {
	if len(variables) == 1 {
		return "the environment variable " + variables[0]
	}
	return "one of the environment variables " + strings.Join(variables, ", ")
}
