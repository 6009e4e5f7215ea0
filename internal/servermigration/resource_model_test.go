package servermigration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// Terraform 1.11 and OpenTofu have no list resources, so this test needs no CLI.
func TestModel_readsBackWhatTheListWrote(t *testing.T) {
	var schema resource.SchemaResponse
	var identity resource.IdentitySchemaResponse
	r := &serverMigration{}
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	r.IdentitySchema(t.Context(), resource.IdentitySchemaRequest{}, &identity)
	m := migration.Migration{
		Region: "ORD", ServerID: "8c65cb68-0681-4c30-bc88-6b83a8a26aee", ServerName: "web-1", RequestID: "req-1",
		Status: migration.StatusAwaiting, ServerStatus: "VERIFY_RESIZE", SourceHostID: "source", DestinationHostID: "destination",
		RequestedAt: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
	}

	result := listed(t.Context(), list.ListRequest{IncludeResource: true, ResourceSchema: schema.Schema, ResourceIdentitySchema: identity.IdentitySchema}, m)

	if result.Diagnostics.HasError() {
		t.Fatal(result.Diagnostics)
	}
	var got model
	if diags := result.Resource.Get(t.Context(), &got); diags.HasError() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(imported(m), got); diff != "" {
		t.Errorf("model that was read back (-want +got):\n%s", diff)
	}
}
