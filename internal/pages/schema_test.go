package pages

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

// schemas has the schemas of the provider's blocks, by the kind of the block and its type.
type schemas map[string]map[string]*tfprotov6.Schema

func newSchemas(t *testing.T) schemas {
	t.Helper()
	server, err := acctest.Providers["rackspace"]()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]*tfprotov6.Schema{}
	for name, schema := range resp.ActionSchemas {
		actions[name] = schema.Schema
	}
	return schemas{
		"provider": {"rackspace": resp.Provider}, "resource": resp.ResourceSchemas, "data": resp.DataSourceSchemas,
		"list": resp.ListResourceSchemas, "action": actions,
	}
}

// metaArguments are the arguments and blocks that Terraform itself has in a provider's
// blocks.
var metaArguments = []string{
	"alias", "count", "depends_on", "for_each", "include_resource", "limit", "provider", // arguments
	"config", "connection", "lifecycle", "provisioner", // blocks
}

// problems says what a configuration has that the provider does not know, and what it
// leaves out that the provider requires.
func (s schemas) problems(body *hclsyntax.Body) []string {
	var found []string
	for _, b := range body.Blocks {
		types, known := s[b.Type]
		if !known || len(b.Labels) == 0 || !strings.HasPrefix(b.Labels[0], "rackspace") {
			continue
		}
		schema := types[b.Labels[0]]
		if schema == nil {
			found = append(found, fmt.Sprintf("the provider has no %s %s", b.Type, b.Labels[0]))
			continue
		}
		inner := b.Body
		for _, nested := range b.Body.Blocks {
			if nested.Type == "config" {
				inner = nested.Body
			}
		}
		found = append(found, differences(schema.Block, inner, b.Type+" "+b.Labels[0])...)
	}
	return found
}

// differences says what a block has that its schema does not, and what it lacks.
func differences(schema *tfprotov6.SchemaBlock, body *hclsyntax.Body, where string) []string {
	var found []string
	known := slices.Clone(metaArguments)
	for _, attribute := range schema.Attributes {
		known = append(known, attribute.Name)
		if attribute.Required && body.Attributes[attribute.Name] == nil {
			found = append(found, where+" lacks "+attribute.Name)
		}
	}
	for _, nested := range schema.BlockTypes {
		known = append(known, nested.TypeName)
	}
	for name := range body.Attributes {
		if !slices.Contains(known, name) {
			found = append(found, where+" has no argument "+name)
		}
	}
	for _, nested := range body.Blocks {
		if !slices.Contains(known, nested.Type) {
			found = append(found, where+" has no block "+nested.Type)
		}
	}
	return found
}
