package acctest

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Unknown is the value of an argument that a plan does not know yet.
const Unknown = tftypes.UnknownValue

// ValidateData checks the configuration of a data source as terraform validate does.
func (s *Session) ValidateData(typeName string, config Object) Diagnostics {
	s.t.Helper()
	resp, err := s.server.ValidateDataResourceConfig(s.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: typeName, Config: s.encode(s.dataType(typeName), config),
	})
	s.check(err)
	return resp.Diagnostics
}

// ReadData reads a data source, after it has checked the configuration as Terraform does.
func (s *Session) ReadData(typeName string, config Object) (Instance, Diagnostics) {
	s.t.Helper()
	typ := s.dataType(typeName)
	absent := Instance{Type: typeName, value: tftypes.NewValue(typ, nil)}
	if invalid := s.ValidateData(typeName, config); invalid.HasError() {
		return absent, invalid
	}
	resp, err := s.server.ReadDataSource(s.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: s.encode(typ, config)})
	s.check(err)
	if resp.State == nil {
		return absent, resp.Diagnostics
	}
	state, err := resp.State.Unmarshal(typ)
	s.check(err)
	return Instance{Type: typeName, value: state}, resp.Diagnostics
}

// Call calls a function of the provider. An error has the number of the wrong argument,
// counted from 0.
func (s *Session) Call(name string, arguments ...any) (Instance, *tfprotov6.FunctionError) {
	s.t.Helper()
	function := s.schemas.Functions[name]
	if function == nil {
		s.t.Fatalf("the provider has no function %s", name)
	}
	var values []*tfprotov6.DynamicValue
	for i, argument := range arguments {
		values = append(values, s.dynamic(s.value(function.Parameters[i].Type, argument)))
	}
	resp, err := s.server.CallFunction(s.t.Context(), &tfprotov6.CallFunctionRequest{Name: name, Arguments: values})
	s.check(err)
	if resp.Error != nil {
		return Instance{}, resp.Error
	}
	result, err := resp.Result.Unmarshal(function.Return.Type)
	s.check(err)
	return Instance{Type: name, value: result}, nil
}

func (s *Session) dataType(typeName string) tftypes.Type {
	s.t.Helper()
	schema := s.schemas.DataSourceSchemas[typeName]
	if schema == nil {
		s.t.Fatalf("the provider has no data source %s", typeName)
	}
	return schema.ValueType()
}

// Listed is a result of a list resource.
type Listed struct {
	Name     string // for display
	Resource Instance
}

// List returns the results of a list resource, as terraform query does, up to a limit. It
// first validates the configuration.
func (s *Session) List(typeName string, config Object, limit int64) ([]Listed, Diagnostics) {
	s.t.Helper()
	lists := s.server.(tfprotov6.ListResourceServer)
	encoded := s.encode(s.schemas.ListResourceSchemas[typeName].ValueType(), config)
	validated, err := lists.ValidateListResourceConfig(s.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: typeName, Config: encoded})
	s.check(err)
	if len(validated.Diagnostics) > 0 {
		return nil, validated.Diagnostics
	}
	stream, err := lists.ListResource(s.t.Context(), &tfprotov6.ListResourceRequest{TypeName: typeName, Config: encoded, IncludeResource: true, Limit: limit})
	s.check(err)
	var found []Listed
	var diagnostics Diagnostics
	for result := range stream.Results {
		diagnostics = append(diagnostics, result.Diagnostics...)
		if result.Resource != nil {
			found = append(found, Listed{result.DisplayName, Instance{Type: typeName, value: s.decode(typeName, result.Resource), identity: result.Identity}})
		}
	}
	return found, diagnostics
}
