// Package serverid checks the ids of servers in a configuration.
package serverid

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/go-uuid"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// Example is what the id of a server looks like.
const Example = "8c65cb68-0681-4c30-bc88-6b83a8a26aee"

const rule = "must be the UUID of a server in lower case, such as " + Example

// Valid tells whether a text is the id of a server as the API writes it: a UUID in lower
// case. With another spelling, Terraform would later see the id of another server, and
// migrate the server again.
func Valid(text string) bool {
	_, err := uuid.ParseUUID(text)
	return err == nil && text == strings.ToLower(text)
}

// Validator returns a validator of arguments that are the id of a server.
func Validator() validator.String { return idOfServer{} }

type idOfServer struct{}

func (idOfServer) Description(context.Context) string         { return rule }
func (idOfServer) MarkdownDescription(context.Context) string { return rule }

func (idOfServer) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	value := req.ConfigValue
	if value.IsNull() || value.IsUnknown() || Valid(value.ValueString()) {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, "Invalid server id", fmt.Sprintf("The argument %s %s, not %q.", req.Path, rule, value.ValueString()))
}
