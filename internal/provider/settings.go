package provider

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

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

// setting is the value of an argument and where it came from.
type setting struct {
	argument string
	value    string // empty when it is not set
	variable string // the environment variable it came from; empty when it is from the block
}

func (s setting) set() bool { return s.value != "" }

func (s setting) origin() string {
	if s.variable != "" {
		return fmt.Sprintf("%s from the environment variable %s", s.argument, s.variable)
	}
	return s.argument + " from the provider block"
}

// settings reads the arguments of a provider block, and collects what is wrong
// with them.
type settings struct {
	block map[string]attr.Value
	diags diag.Diagnostics
}

// resolved is what a provider block and the environment ask for.
type resolved struct {
	client     cloudservers.Config
	limits     migration.Limits
	warnBefore time.Duration
}

// resolve reads a provider block and the environment. Every problem is reported,
// each with its argument.
func (m *model) resolve() (resolved, diag.Diagnostics) {
	s := &settings{block: map[string]attr.Value{
		argUsername: m.Username, argAPIKey: m.APIKey, argPassword: m.Password, argToken: m.Token,
		argTenantID: m.TenantID, argRegion: m.Region,
		argIdentityEndpoint: m.IdentityEndpoint, argComputeEndpoint: m.ComputeEndpoint, argEndpointType: m.EndpointType,
		argPollInterval: m.PollInterval, argRequestTimeout: m.RequestTimeout, argMaxRetries: m.MaxRetries, argWarnBefore: m.WarnBefore,
		argMaxConcurrentMigrations: m.MaxConcurrentMigrations, argStopAfterFailures: m.StopAfterFailures,
	}}
	s.refuseUnknown()
	if s.diags.HasError() {
		return resolved{}, s.diags
	}
	config := cloudservers.Config{
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
	return resolved{config, limits, s.duration(argWarnBefore, defaultWarnBefore, 0)}, s.diags
}

// refuseUnknown reports arguments whose values are known only after an apply:
// to go on without them could reach another account.
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

// get reads an argument from the provider block, else from the environment.
func (s *settings) get(argument string) setting {
	if from := s.fromBlock(argument); from.set() {
		return from
	}
	for _, variable := range environment[argument] {
		if value := os.Getenv(variable); value != "" {
			return setting{argument: argument, value: value, variable: variable}
		}
	}
	return setting{argument: argument}
}

// placeOf says where an argument is set; nothing where it is not.
func (s *settings) placeOf(argument string) string {
	switch from := s.get(argument); {
	case from.variable != "":
		return fmt.Sprintf("the environment variable %s, which %s in the provider block would override", from.variable, argument)
	case from.set():
		return argument + " in the provider block"
	}
	return ""
}

// invalid reports a setting that cannot be used; problem goes on from its name.
func (s *settings) invalid(from setting, problem string) {
	summary := "Invalid " + strings.ReplaceAll(from.argument, "_", " ")
	if from.variable != "" {
		s.diags.AddError(summary, fmt.Sprintf("The environment variable %s, which stands in for the provider argument %q, %s",
			from.variable, from.argument, problem))
		return
	}
	s.diags.AddAttributeError(path.Root(from.argument), summary, fmt.Sprintf("The provider argument %q %s", from.argument, problem))
}

// credentials picks what to authenticate with. What the block sets wins over
// the environment, whatever its kind.
func (s *settings) credentials() cloudservers.Credentials {
	kinds := []string{argAPIKey, argPassword, argToken}
	var proof setting
	for _, read := range []func(string) setting{s.fromBlock, s.get} {
		for _, kind := range kinds {
			if from := read(kind); from.set() && !proof.set() {
				proof = from
			}
		}
	}
	username, tenant := s.get(argUsername), s.get(argTenantID)
	switch {
	case !proof.set():
		s.diags.AddError("No Rackspace credentials", fmt.Sprintf(
			"Set username and api_key in the provider block, or the environment variables %s and %s. "+
				"A password (password, %s) or a token with its tenant (token and tenant_id, %s) will do as well. "+
				"The API key is shown in the Rackspace control panel under My Profile & Settings.",
			environment[argUsername][0], environment[argAPIKey][0], environment[argPassword][0], environment[argToken][0]))
	case proof.argument == argToken && !tenant.set():
		s.incomplete(proof, argTenantID)
	case proof.argument != argToken && !username.set():
		s.incomplete(proof, argUsername)
	}
	credentials := cloudservers.Credentials{TenantID: tenant.value, Origin: proof.origin()}
	switch proof.argument {
	case argAPIKey:
		credentials.APIKey = proof.value
	case argPassword:
		credentials.Password = proof.value
	case argToken:
		credentials.Token = proof.value
		return credentials
	}
	credentials.Username = username.value
	credentials.Origin = username.origin() + " and " + proof.origin()
	return credentials
}

func (s *settings) incomplete(proof setting, missing string) {
	s.diags.AddAttributeError(path.Root(missing), "Incomplete Rackspace credentials", fmt.Sprintf(
		"There is %s, but no %s to go with it. Set %s in the provider block, or set %s.",
		proof.origin(), missing, missing, oneOf(environment[missing])))
}

// endpoint reads a URL. Anything but https would show the credentials to the
// network; a loopback address has none.
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
	case parsed.Scheme == "http" && !loopback(parsed.Hostname()):
		s.invalid(from, fmt.Sprintf("must begin with https://, because credentials are sent there; plain http is accepted for a loopback address only, and %s is none.", parsed.Hostname()))
	}
	return from.value
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *settings) endpointType() cloudservers.EndpointType {
	from := s.get(argEndpointType)
	switch kind := cloudservers.EndpointType(from.value); kind {
	case "", cloudservers.EndpointPublic:
		return cloudservers.EndpointPublic
	case cloudservers.EndpointInternal:
		return kind
	default:
		s.invalid(from, fmt.Sprintf("must be %q or %q, not %q.", cloudservers.EndpointPublic, cloudservers.EndpointInternal, from.value))
		return kind
	}
}

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

// rates reads the limits of requests; what is not set is the client's default.
func (s *settings) rates(block *ratesModel) cloudservers.Rates {
	if block == nil {
		return cloudservers.Rates{}
	}
	for name, value := range map[string]attr.Value{"read": block.Read, "write": block.Write} {
		if value.IsUnknown() {
			s.diags.AddAttributeError(path.Root(argRequestsPerMinute).AtName(name), "Provider argument not known yet", fmt.Sprintf(
				"The value of %q in %q depends on something that is known only after an apply. Set it to a value that is known.", name, argRequestsPerMinute))
		}
	}
	return cloudservers.Rates{Read: int(block.Read.ValueInt64()), Write: int(block.Write.ValueInt64())}
}

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

func oneOf(variables []string) string {
	if len(variables) == 1 {
		return "the environment variable " + variables[0]
	}
	return "one of the environment variables " + strings.Join(variables, ", ")
}
