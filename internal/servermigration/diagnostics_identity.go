package servermigration

import (
	"fmt"
	"net/http"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// This file has the details of an authentication that failed. At that time no server was
// read, so the messages name none.

// askedForToken says what was asked of the Identity API, and what it answered.
func askedForToken(api *cloudservers.Error) string {
	asked := "The provider asked the Identity API for a token"
	if api.URL != "" { // else it is the wait for another caller's request that has ended
		asked += fmt.Sprintf(" (%s %s)", api.Method, api.URL)
	}
	if isAnswer(api) {
		return asked + ". The answer is: " + answerOf(api)
	}
	return asked + ", and got no usable answer: " + sentence(api.Reason()) + "."
}

// adviceOnToken is what to do about a token request that failed.
func adviceOnToken(api *cloudservers.Error) string {
	switch code := api.StatusCode; {
	case code == http.StatusUnauthorized:
		return refusedCredentials(api)
	case code == http.StatusForbidden:
		return "The user may not log in. It may be disabled, or its account suspended. Check the user in the cloud's control panel, or use another one."
	case code == http.StatusBadRequest:
		return "Either what answers there is not an Identity API " + api.IdentityVersion + ", or it does not take credentials of this kind. " + correctEndpoint(api)
	case code >= 300 && code < 400:
		return "What answers there is not an Identity API " + api.IdentityVersion + ": it redirects, and the provider does not follow a redirect with credentials. " + correctEndpoint(api)
	case api.OverLimit():
		return "The rate limit of the Identity API was reached until the timeout of the operation passed. Apply again later."
	case code >= 400 && code < 500, code == http.StatusNotImplemented, api.Unreadable():
		return "What answers there is not an Identity API " + api.IdentityVersion + ". The address ends with /v3 for Keystone, and with /v2.0 for Rackspace's public cloud. " + correctEndpoint(api)
	case code >= 500:
		return "The Identity API has a problem. Apply again later. If that does not help, check its address. " + correctEndpoint(api)
	}
	return "Check the network. Check the address of the Identity API too. " + correctEndpoint(api)
}

// correctEndpoint says where the address of the Identity API is set.
func correctEndpoint(api *cloudservers.Error) string {
	if api.IdentityOrigin == "" {
		return "The address is the default one. If requests go through a proxy, check that. For another cloud, set identity_endpoint in the provider block."
	}
	return "The address comes from " + api.IdentityOrigin + ". Correct it if it is wrong. " +
		"If it is not set, the provider uses that of Rackspace's public cloud, " + cloudservers.DefaultIdentityEndpoint + "."
}
