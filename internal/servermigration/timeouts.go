package servermigration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
)

// timeoutsBlock is the block timeouts. It replaces the validators of the library, which
// accept negative durations.
func timeoutsBlock(ctx context.Context, opts timeouts.Opts) schema.Block {
	block := timeouts.Block(ctx, opts).(schema.SingleNestedBlock)
	for name, attribute := range block.Attributes {
		text := attribute.(schema.StringAttribute)
		text.Validators = []validator.String{durations.AtLeast(durations.Positive)}
		block.Attributes[name] = text
	}
	return block
}

func timeoutDescription(what, unset string) string {
	return "How long to wait for " + what + ", such as `30m`. Defaults to `" + unset + "`."
}
