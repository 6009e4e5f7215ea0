package servermigration

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// Config is what the provider hands over to its resources, for one run of Terraform. All
// of them share it, and may use it at the same time.
type Config struct {
	Engine     *migration.Engine
	WarnBefore time.Duration // how long before its deadline there are warnings of a migration; 0: never

	mu    sync.Mutex
	plans map[string]*serverPlans // by server id

	takenOver sync.Map // the statuses of the migrations that a plan of this run has said it takes over, by request id
	deadlines sync.Map // the migrations whose deadline this run has checked, by server and request id
}

// configOf reads what the provider hands over. It is empty while Terraform asks only for
// the schema.
func configOf(data any, diags *diag.Diagnostics) *Config {
	config, ok := data.(*Config)
	if data != nil && !ok {
		diags.AddError("Provider defect", fmt.Sprintf("The provider configured a resource with a %T. Please report this.", data))
	}
	if config == nil {
		return &Config{}
	}
	return config
}
