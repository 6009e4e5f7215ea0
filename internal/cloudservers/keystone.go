package cloudservers

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// novaName is the usual name of Nova in a catalog of Keystone v3. Other services can
// have its type. They count only where no service has this name.
const novaName = "nova"

// SplitVersion splits an address of the Identity API into what comes before its
// version, and the version, such as IdentityV3; nothing where it has none.
func SplitVersion(endpoint string) (base, version string, err error) {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return "", "", err
	}
	parsed.RawQuery, parsed.Fragment = "", ""
	parts := strings.Split(parsed.Path, "/")
	for i, part := range slices.Backward(parts) {
		if number, ok := strings.CutPrefix(part, "v"); ok && number != "" && strings.Trim(number, "0123456789.") == "" {
			version, parsed.Path = part, strings.Join(parts[:i], "/")
			break
		}
	}
	return gophercloud.NormalizeURL(parsed.String()), version, nil
}

// askKeystone gets a token from Keystone v3 (POST /v3/auth/tokens).
func (c *Client) askKeystone(ctx context.Context) (*session, error) {
	var body struct {
		Token struct {
			User    tokens.User           `json:"user"`
			Project tokens.Project        `json:"project"`
			Catalog []tokens.CatalogEntry `json:"catalog"`
		} `json:"token"`
	}
	what := c.tokenCall(IdentityV3, "/auth/tokens", &body)
	answer, err := c.retry(ctx, what, c.tokens)
	if err != nil {
		return nil, err
	}
	token, told := answer.header.Get("X-Subject-Token"), body.Token
	if token == "" || told.User.ID == "" {
		return nil, what.unusable(answer, "it has no token in its header X-Subject-Token, or no token.user.id")
	}
	return &session{token: token, tenantID: told.Project.ID, userID: told.User.ID, endpoints: endpointsOfNova(told.Catalog)}, nil
}

// keystoneRequest is the body of Keystone v3's POST /auth/tokens. The error says what
// the credentials lack.
func (c Credentials) keystoneRequest() (map[string]any, error) {
	options := *c.Keystone // ToTokenV3ScopeMap changes it
	scope, err := options.ToTokenV3ScopeMap()
	if err != nil {
		return nil, err
	}
	return options.ToTokenV3CreateMap(scope)
}

// endpointsOfNova finds the endpoints of Nova in a catalog of Keystone v3. A cloud can
// have an entry of its own for each region.
func endpointsOfNova(catalog []tokens.CatalogEntry) []endpoint {
	var ofNova, ofOthers []endpoint
	for _, entry := range catalog {
		if entry.Type != serviceType {
			continue
		}
		for _, e := range entry.Endpoints {
			found := endpoint{EndpointType(e.Interface), cmp.Or(e.RegionID, e.Region), e.URL}
			if entry.Name == novaName {
				ofNova = append(ofNova, found)
			} else {
				ofOthers = append(ofOthers, found)
			}
		}
	}
	if len(ofNova) > 0 {
		return ofNova
	}
	return ofOthers
}
