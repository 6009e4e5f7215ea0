package servermigration

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// api is the error of the API call that failed; nil if none did.
func (x explanation) api() *cloudservers.Error {
	var api *cloudservers.Error
	if errors.As(x.failure.Err, &api) {
		return api
	}
	return nil
}

// said is what the API answered, or why there is no answer.
func (x explanation) said() string {
	api := x.api()
	switch {
	case api == nil:
		return x.because()
	case api.OfIdentity():
		return askedForToken(api)
	case isAnswer(api):
		return "The API says: " + answerOf(api)
	}
	return fmt.Sprintf("The API gave no usable answer to %s %s: %s.", api.Method, api.URL, sentence(api.Reason()))
}

// isAnswer tells whether the API refused a call with an answer that could be read.
func isAnswer(api *cloudservers.Error) bool { return api.StatusCode != 0 && api.Err == nil }

// answerOf is what the API answered.
func answerOf(api *cloudservers.Error) string {
	text := fmt.Sprintf("%d %s.", api.StatusCode, sentence(api.Reason()))
	if api.Fault != "" {
		text = fmt.Sprintf("%d %s: %s.", api.StatusCode, api.Fault, sentence(api.Message))
	}
	if api.Details != "" {
		text += " " + sentence(api.Details) + "."
	}
	if api.RequestID != "" {
		text += " (Request id: " + api.RequestID + ")"
	}
	return text
}

// because says why the provider stopped waiting.
func (x explanation) because() string {
	switch {
	case x.failure.TimedOut():
		return "The timeout of the operation passed" + x.whichTimeout() + "."
	case x.failure.Err != nil:
		return "The operation was cancelled."
	default:
		return ""
	}
}

// whichTimeout names the argument that set the timeout of the operation, where it is known.
func (x explanation) whichTimeout() string {
	switch {
	case x.in(invoking):
		return " (argument timeout of the action)"
	case x.in(destroying):
		return " (timeouts.delete)"
	case x.in(again):
		return " (timeouts.update)"
	case x.in(recorded):
		return " (see the block timeouts of the resource)"
	case x.failure.Kind != migration.KindAPI: // what only reads, such as a plan, has the kind KindAPI
		return " (timeouts.create)"
	}
	return ""
}

// advice is what to do about a status code.
func (x explanation) advice() string {
	api := x.api()
	switch {
	case api == nil:
		return ""
	case api.OfIdentity():
		return adviceOnToken(api)
	}
	switch api.StatusCode {
	case http.StatusBadRequest:
		return "The request was not repeated. If the message does not help, give the request id to the cloud's support."
	case http.StatusUnauthorized:
		return refusedCredentials(api)
	case http.StatusForbidden:
		if api.Fault == "resizeNotAllowed" {
			return "The cloud does not allow this server to be migrated. Ask its support, with the request id, what stands in the way."
		}
		return "The user may not do this. With a role such as observer, a user can read servers but not change them. " +
			"On Rackspace's public cloud, use a user with the role nova:creator or nova:admin, or ask the account's administrator for it. " +
			"On other OpenStack clouds, Nova's policy has to allow it. By default, only administrators may migrate a server."
	case http.StatusNotFound:
		return "Check server_id, and whether the server is in region " + x.migration.Region + "."
	case http.StatusMethodNotAllowed:
		return "Either the compute endpoint is not that of Nova (check compute_endpoint), or this kind of server cannot be migrated."
	case http.StatusConflict:
		return "Something else is being done to the server, or it is locked, or its host is down. " + x.state() + " Apply again once that is over."
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		return "The account's rate limit was reached until the timeout of the operation passed. Apply again later, or raise the timeout."
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "The API has a problem. Apply again later. If that does not help, give the request id to the cloud's support."
	default:
		return "Check the network and the endpoints, and apply again."
	}
}

// refusedCredentials says which credentials the API refused, and where they come from.
func refusedCredentials(api *cloudservers.Error) string {
	credentials := api.Credentials
	if credentials == nil {
		return "Check the credentials."
	}
	if !credentials.Renewable() {
		return fmt.Sprintf("The token was refused (%s). It may have expired, and the provider cannot renew it. "+
			"Set a new token. Or use credentials with which the provider can get new tokens: an API key, a password or an application credential.", credentials.Origin)
	}
	if credentials.Keystone != nil {
		return fmt.Sprintf("The credentials were refused (%s). Check them, and the project and the domains that go with them.", credentials.Origin)
	}
	return fmt.Sprintf("The credentials were refused (%s). Check them in the Rackspace control panel under My Profile & Settings.", credentials.Origin)
}
