package servermigration

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// Reading says what a data source reads, for its diagnostics.
type Reading struct {
	What      string // "the action log of server 8c65cb68-…"
	Argument  string // the argument that names the server, if one does
	IfRefused string // what to do where the API refuses to tell
}

// Explain turns an error of the engine, or of the client, into the diagnostic of a data
// source.
func (r Reading) Explain(region string, err error) diag.Diagnostics {
	var failure *migration.Error
	if !errors.As(err, &failure) {
		failure = &migration.Error{Kind: migration.KindAPI, Migration: migration.Migration{Region: region}, Err: err}
	}
	x := explanation{migration: failure.Migration, failure: failure}
	switch api := x.api(); {
	case failure.Kind == migration.KindNotFound:
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(r.Argument), x.row().summary, paragraphs(
			"No server with this id exists in region "+x.migration.Region+", or the user may not see it.", x.said(),
			fmt.Sprintf("Check %s, and whether the server is in another region (argument region).", r.Argument)))}
	case api == nil || api.Authentication():
		return explain(failure, creating)
	case isRefusal(api):
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot read "+r.What, paragraphs(x.said(), r.IfRefused))}
	case api.URL == "": // the wait for a request of others has ended
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot read "+r.What, x.because())}
	default:
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot read "+r.What, paragraphs(x.said(), x.advice()))}
	}
}

// Refusal is the warning that a data source cannot tell something, because the API
// refuses to.
func (r Reading) Refusal(err error) diag.Diagnostic {
	x := explanation{failure: &migration.Error{Err: err}}
	return diag.NewWarningDiagnostic("Cannot read "+r.What, paragraphs(x.said(), r.IfRefused))
}

// isRefusal tells whether the API answered that it does not tell what it was asked for.
func isRefusal(api *cloudservers.Error) bool {
	return isAnswer(api) && slices.Contains([]int{
		http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented,
	}, api.StatusCode)
}
