package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
)

// The names of the arguments.
const (
	argUsername         = "username"
	argAPIKey           = "api_key"
	argCloud            = "cloud"
	argTenantName       = "tenant_name"
	argUserID           = "user_id"
	argCACertFile       = "cacert_file"
	argInsecure         = "insecure"
	argConfirmWindow    = "confirm_window"
	argAllTenants       = "all_tenants"
	argPassword         = "password"
	argToken            = "token"
	argTenantID         = "tenant_id"
	argRegion           = "region"
	argIdentityEndpoint = "identity_endpoint"
	argComputeEndpoint  = "compute_endpoint"
	argEndpointType     = "endpoint_type"
	argPollInterval     = "poll_interval"
	argRequestTimeout   = "request_timeout"
	argMaxRetries       = "max_retries"
	argWarnBefore       = "warn_before"

	argUserDomainID      = "user_domain_id"
	argUserDomainName    = "user_domain_name"
	argProjectDomainID   = "project_domain_id"
	argProjectDomainName = "project_domain_name"

	argApplicationCredentialID     = "application_credential_id"
	argApplicationCredentialName   = "application_credential_name"
	argApplicationCredentialSecret = "application_credential_secret"

	argMaxConcurrentMigrations = "max_concurrent_migrations"
	argStopAfterFailures       = "stop_after_failures"
	argRequestsPerMinute       = "requests_per_minute"
)

// environment names the variables that stand in for an argument that the block
// does not set; the first that is set wins.
var environment = map[string][]string{
	argUsername:         {"RACKSPACE_USERNAME", "RAX_USERNAME", "RS_USERNAME", "OS_USERNAME"},
	argAPIKey:           {"RACKSPACE_API_KEY", "RAX_API_KEY", "RS_API_KEY"},
	argPassword:         {"RACKSPACE_PASSWORD", "RAX_PASSWORD", "OS_PASSWORD"},
	argToken:            {"RACKSPACE_TOKEN", "OS_TOKEN"},
	argTenantID:         {"RACKSPACE_TENANT_ID", "RAX_TENANT_ID", "RS_TENANT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"},
	argRegion:           {"RACKSPACE_REGION", "RAX_REGION", "RS_REGION_NAME", "OS_REGION_NAME"},
	argIdentityEndpoint: {"RACKSPACE_IDENTITY_ENDPOINT", "RS_AUTH_URL", "OS_AUTH_URL"},
	argComputeEndpoint:  {"RACKSPACE_COMPUTE_ENDPOINT"},
	argEndpointType:     {"RACKSPACE_ENDPOINT_TYPE", "OS_ENDPOINT_TYPE", "OS_INTERFACE"},
	argPollInterval:     {"RACKSPACE_POLL_INTERVAL"},
	argRequestTimeout:   {"RACKSPACE_REQUEST_TIMEOUT"},
	argMaxRetries:       {"RACKSPACE_MAX_RETRIES"},
	argWarnBefore:       {"RACKSPACE_WARN_BEFORE"},

	argCloud:             {"RACKSPACE_CLOUD", "OS_CLOUD"},
	argTenantName:        {"RACKSPACE_TENANT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME"},
	argUserID:            {"RACKSPACE_USER_ID", "OS_USER_ID"},
	argUserDomainID:      {"RACKSPACE_USER_DOMAIN_ID", "OS_USER_DOMAIN_ID", "OS_DOMAIN_ID"},
	argUserDomainName:    {"RACKSPACE_USER_DOMAIN_NAME", "OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"},
	argProjectDomainID:   {"RACKSPACE_PROJECT_DOMAIN_ID", "OS_PROJECT_DOMAIN_ID"},
	argProjectDomainName: {"RACKSPACE_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"},
	argCACertFile:        {"RACKSPACE_CACERT_FILE", "OS_CACERT"},
	argInsecure:          {"RACKSPACE_INSECURE", "OS_INSECURE"},
	argConfirmWindow:     {"RACKSPACE_CONFIRM_WINDOW"},
	argAllTenants:        {"RACKSPACE_ALL_TENANTS"},

	argApplicationCredentialID:     {"RACKSPACE_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_ID"},
	argApplicationCredentialName:   {"RACKSPACE_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_NAME"},
	argApplicationCredentialSecret: {"RACKSPACE_APPLICATION_CREDENTIAL_SECRET", "OS_APPLICATION_CREDENTIAL_SECRET"},

	argMaxConcurrentMigrations: {"RACKSPACE_MAX_CONCURRENT_MIGRATIONS"},
}

type model struct {
	Username         types.String `tfsdk:"username"`
	APIKey           types.String `tfsdk:"api_key"`
	Password         types.String `tfsdk:"password"`
	Token            types.String `tfsdk:"token"`
	TenantID         types.String `tfsdk:"tenant_id"`
	Region           types.String `tfsdk:"region"`
	IdentityEndpoint types.String `tfsdk:"identity_endpoint"`
	ComputeEndpoint  types.String `tfsdk:"compute_endpoint"`
	EndpointType     types.String `tfsdk:"endpoint_type"`
	PollInterval     types.String `tfsdk:"poll_interval"`
	RequestTimeout   types.String `tfsdk:"request_timeout"`
	WarnBefore       types.String `tfsdk:"warn_before"`
	MaxRetries       types.Int64  `tfsdk:"max_retries"`

	Cloud             types.String `tfsdk:"cloud"`
	TenantName        types.String `tfsdk:"tenant_name"`
	UserID            types.String `tfsdk:"user_id"`
	UserDomainID      types.String `tfsdk:"user_domain_id"`
	UserDomainName    types.String `tfsdk:"user_domain_name"`
	ProjectDomainID   types.String `tfsdk:"project_domain_id"`
	ProjectDomainName types.String `tfsdk:"project_domain_name"`
	CACertFile        types.String `tfsdk:"cacert_file"`
	Insecure          types.Bool   `tfsdk:"insecure"`
	ConfirmWindow     types.String `tfsdk:"confirm_window"`
	AllTenants        types.Bool   `tfsdk:"all_tenants"`

	ApplicationCredentialID     types.String `tfsdk:"application_credential_id"`
	ApplicationCredentialName   types.String `tfsdk:"application_credential_name"`
	ApplicationCredentialSecret types.String `tfsdk:"application_credential_secret"`

	MaxConcurrentMigrations types.Int64 `tfsdk:"max_concurrent_migrations"`
	StopAfterFailures       types.Int64 `tfsdk:"stop_after_failures"`

	RequestsPerMinute *ratesModel `tfsdk:"requests_per_minute"`
}

type ratesModel struct {
	Read  types.Int64 `tfsdk:"read"`
	Write types.Int64 `tfsdk:"write"`
}

func (p *rackspaceProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The Rackspace provider moves [Rackspace Cloud Servers](https://docs.rackspace.com/docs/cloud-servers) " +
			"to other hypervisor hosts, and follows each move until it is confirmed. " +
			"It does the same on other OpenStack clouds.",
		Attributes: map[string]schema.Attribute{
			argUsername: text(argUsername, "Name of the user on whose behalf servers are migrated. "+
				"Required with `api_key` and `password`."),
			argAPIKey: secret(argAPIKey, "API key of the user, for Rackspace's public cloud. It cannot be set together with `password` or `token`. "+
				"Where an API key and a password both come from the environment, the API key is used."),
			argPassword: secret(argPassword, "Password of the user. It cannot be set together with `api_key` or `token`."),
			argToken: secret(argToken, "An existing authentication token, instead of `username` and a key or password. "+
				"It needs `tenant_id`. The provider cannot renew it. If it expires in the middle of a migration, the apply fails. "+
				"The cloud still finishes the migration, and a later apply continues with it."),
			argTenantID: text(argTenantID, "Tenant id to authenticate for: the account number on Rackspace's public cloud, the project id on other clouds. "+
				"`token` requires it, or `tenant_name`. Otherwise the user's own tenant is the default."),
			argRegion: text(argRegion, "Region of the servers, such as `ORD`, in any letter case. "+
				"A resource can name another one. Defaults to the user's default region, or to the account's only one."),
			argIdentityEndpoint: text(argIdentityEndpoint, "URL of the Identity API. It ends with `/v2.0` for Rackspace's public cloud, and with `/v3` for Keystone v3. "+
				"Plain `http` is accepted for a loopback address only. Defaults to `"+cloudservers.DefaultIdentityEndpoint+"`."),
			argComputeEndpoint: text(argComputeEndpoint, "URL of the Cloud Servers API v2, up to and including the tenant id. On other clouds it is the URL of Nova, up to `/v2.1`. "+
				"Defaults to the one in the service catalog. Plain `http` is accepted for a loopback address only. "+
				"It is used for every region, so set it together with `region`."),
			argEndpointType: schema.StringAttribute{
				MarkdownDescription: described(argEndpointType, "Which of a region's addresses to use: `public`, "+
					"or `internal`, which is ServiceNet on Rackspace's public cloud. Defaults to `public`."),
				Optional: true,
				Validators: []validator.String{
					stringvalidator.OneOf(string(gophercloud.AvailabilityPublic), string(gophercloud.AvailabilityInternal)),
				},
			},
			argPollInterval: duration(argPollInterval, "How often pending migrations are polled, such as `2s`. One request polls all migrations of a region. "+
				"At least `100ms`. Defaults to `2s`.", minPollInterval),
			argRequestTimeout: duration(argRequestTimeout, "How long one HTTP exchange with the API may take, "+
				"such as `1m`. At least `1s`. Defaults to `1m`.", minRequestTimeout),
			argWarnBefore: duration(argWarnBefore, "The cloud confirms a migration automatically after `confirm_window`. Plans and refreshes warn when less than `warn_before` is left, "+
				"such as `12h`. `0s` turns these warnings off. Defaults to `6h`.", 0),
			argConfirmWindow: duration(argConfirmWindow, "How long a migration can await confirmation before the cloud confirms it automatically, such as `24h`. "+
				"It is `resize_confirm_window` in the configuration of Nova, which the cloud's operator knows. `0` says that the cloud never does so. "+
				"Messages and `confirm_by` give a time only where it is known. Defaults to `24h` with the Identity API v2.0, as Rackspace's public cloud documents it. With Keystone v3 there is no default.", 0),
			argCloud: text(argCloud, "Name of an entry of `clouds.yaml`, OpenStack's file of clouds and credentials. "+
				"Arguments in the provider block win over the entry. The entry wins over environment variables, except `OS_CACERT` and `OS_INSECURE`. "+
				"The file is the one that `OS_CLIENT_CONFIG_FILE` names. Otherwise it is the first one in the current directory, in `~/.config/openstack` and in `/etc/openstack`. A `secure.yaml` beside it is read too."),
			argTenantName:        text(argTenantName, "Name of the project to authenticate for, in place of `tenant_id`. With Keystone v3 it needs the project's domain."),
			argUserID:            text(argUserID, "Id of the user, in place of `username` and the user's domain. For Keystone v3 only."),
			argUserDomainID:      text(argUserDomainID, "Id of the user's domain. For Keystone v3 only."),
			argUserDomainName:    text(argUserDomainName, "Name of the user's domain, often `Default`, in place of `user_domain_id`. For Keystone v3 only."),
			argProjectDomainID:   text(argProjectDomainID, "Id of the project's domain. Defaults to the user's domain. For Keystone v3 only."),
			argProjectDomainName: text(argProjectDomainName, "Name of the project's domain, in place of `project_domain_id`. Defaults to the user's domain. For Keystone v3 only."),
			argApplicationCredentialID: text(argApplicationCredentialID, "Id of an application credential, which needs no user and no project beside it. "+
				"For Keystone v3 only."),
			argApplicationCredentialName: text(argApplicationCredentialName, "Name of an application credential, in place of `application_credential_id`. "+
				"It needs `username` and the user's domain. For Keystone v3 only."),
			argApplicationCredentialSecret: secret(argApplicationCredentialSecret, "Secret of the application credential. "+
				"It cannot be set together with `api_key`, `password` or `token`. Where it and a password both come from the environment, the application credential is used."),
			argCACertFile: text(argCACertFile, "Path of a file of certificates in PEM form. They are trusted in place of the system's, for requests to the cloud. The checks of a `verification` do not use them."),
			argInsecure: flag(argInsecure, "Whether to accept any certificate of the cloud. Whoever can change the network traffic can then read the credentials. "+
				"The checks of a `verification` do not depend on it. Defaults to `false`."),
			argAllTenants: flag(argAllTenants, "Whether lists ask for the servers of all tenants (projects), which needs an administrator. "+
				"Set it to find and migrate servers of other tenants. Defaults to `false`."),
			argMaxRetries: schema.Int64Attribute{
				MarkdownDescription: described(argMaxRetries, "How often a request is repeated after failures that may pass, "+
					"such as a lost connection, from `0` to `100`. Refusals because of the rate limit do not count. "+
					"A migrate request is repeated only with proof that the first one had no effect. Defaults to `5`."),
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(0, maxMaxRetries)},
			},
			argMaxConcurrentMigrations: schema.Int64Attribute{
				MarkdownDescription: described(argMaxConcurrentMigrations, "How many migrations may be under way at once. "+
					"A migration counts from before its migrate request until it awaits confirmation. With `auto_confirm` it counts until it is confirmed or reverted. "+
					"The others wait for their turn, and nothing is done to their servers. Their timeouts begin when their turn has come. By default there is no limit. "+
					"More than 10 at once need a higher `-parallelism` of Terraform too."),
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(1, maxFleet)},
			},
			argRequestsPerMinute: schema.SingleNestedAttribute{
				MarkdownDescription: "The account's rate limits: `read` for GET requests, `write` for POST requests. The provider holds requests back to keep them. " +
					"Set them only where they differ from what Rackspace documents, or to leave room for others who use the account. " +
					"Confirm and revert requests go before migrate requests.",
				Optional: true,
				Attributes: map[string]schema.Attribute{
					"read":  rate("GET", cloudservers.DefaultRates.Read),
					"write": rate("POST", cloudservers.DefaultRates.Write),
				},
			},
			argStopAfterFailures: schema.Int64Attribute{
				MarkdownDescription: "After so many failed migrations in one apply no further one starts. Each that did not start is an error that names the failures. " +
					"Nothing was done to its server. These count as failed: the API refused the migration, the server did not move, or it did not pass its test after the move. " +
					"A timeout and a confirmation that failed count too. What is refused before a request was sent does not count. By default there is no limit.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(1, maxFleet)},
			},
		},
	}
}

func rate(method string, unset int) schema.Int64Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: fmt.Sprintf("%s requests a minute. Defaults to `%d`.", method, unset),
		Optional:            true,
		Validators:          []validator.Int64{int64validator.Between(1, maxFleet)},
	}
}

func text(name, description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: described(name, description),
		Optional:            true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

func flag(name, description string) schema.BoolAttribute {
	return schema.BoolAttribute{MarkdownDescription: described(name, description), Optional: true}
}

func secret(name, description string) schema.StringAttribute {
	attribute := text(name, description)
	attribute.Sensitive = true
	return attribute
}

func duration(name, description string, least time.Duration) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: described(name, description),
		Optional:            true,
		Validators:          []validator.String{durations.AtLeast(least)},
	}
}

// described adds to a description which environment variables stand in.
func described(name, description string) string {
	variables := "`" + strings.Join(environment[name], "`, `") + "`"
	if len(environment[name]) == 1 {
		return fmt.Sprintf("%s Can also be set with the environment variable %s.", description, variables)
	}
	return fmt.Sprintf("%s Can also be set with the environment variables %s; the first that is set wins.", description, variables)
}
