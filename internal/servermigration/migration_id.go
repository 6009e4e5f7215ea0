package servermigration

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
)

// splitMigrationID splits the id of a rackspace_server_migration, which is
// REGION/SERVER_ID/REQUEST_ID. The request is empty if the API has named none.
func splitMigrationID(id string) (region, server, request string, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 || parts[0] == "" || !serverid.Valid(parts[1]) {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// migrationIDRule is a validator of arguments that are the id of a
// rackspace_server_migration.
type migrationIDRule struct {
	undescribed
	requestNamed bool // whether an id without a request is refused
}

func (v migrationIDRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !isKnown(req.ConfigValue) {
		return
	}
	id := req.ConfigValue.ValueString()
	if _, _, request, ok := splitMigrationID(id); ok && (request != "" || !v.requestNamed) {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, "Invalid migration id", fmt.Sprintf(
		"The argument %s must be the id of a rackspace_server_migration: REGION/SERVER_ID/REQUEST_ID, not %q.", req.Path, id))
}
