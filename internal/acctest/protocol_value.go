package acctest

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Instance is a resource or a data source in a state, or the result of a function.
type Instance struct {
	Type     string
	value    tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// Exists tells whether the state has the resource.
func (i Instance) Exists() bool { return !i.value.IsNull() }

// IsNull tells whether an attribute is null. Its path is that of Get.
func (i Instance) IsNull(path string) bool {
	value, found := i.at(path)
	return found && value.IsNull()
}

// Get returns an attribute as text; a null one is empty. The path names a nested attribute
// in the form a.b.0.c.
func (i Instance) Get(path string) string {
	value, found := i.at(path)
	if !found || value.IsNull() {
		return ""
	}
	var text string
	var number big.Float
	var is bool
	switch {
	case value.As(&text) == nil:
		return text
	case value.As(&number) == nil:
		return number.String()
	case value.As(&is) == nil:
		return strconv.FormatBool(is)
	default:
		return value.String()
	}
}

// at returns a nested value, and whether there is one.
func (i Instance) at(path string) (value tftypes.Value, found bool) {
	if value = i.value; path == "" {
		return value, true
	}
	for step := range strings.SplitSeq(path, ".") {
		var attributes map[string]tftypes.Value
		var elements []tftypes.Value
		position, err := strconv.Atoi(step)
		switch {
		case value.As(&attributes) == nil && attributes != nil:
			value, found = attributes[step]
			if !found {
				return value, false
			}
		case err == nil && value.As(&elements) == nil && position < len(elements):
			value = elements[position]
		default:
			return value, false
		}
	}
	return value, true
}

// Keys returns the keys of a map or the attributes of an object, sorted. Its path is that
// of Get.
func (i Instance) Keys(path string) []string {
	var values map[string]tftypes.Value
	if at, found := i.at(path); !found || at.As(&values) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(values))
}

// Len returns the number of elements of a list. Its path is that of Get.
func (i Instance) Len(path string) int {
	var elements []tftypes.Value
	if at, found := i.at(path); !found || at.As(&elements) != nil {
		return 0
	}
	return len(elements)
}

// IsKnown tells whether the value of an attribute is known. In a plan it can be unknown.
func (i Instance) IsKnown(attribute string) bool {
	var attributes map[string]tftypes.Value
	return i.value.As(&attributes) == nil && attributes[attribute].IsKnown()
}

func (s *Session) typeOf(typeName string) tftypes.Type {
	s.t.Helper()
	schema := s.schemas.ResourceSchemas[typeName]
	if schema == nil {
		s.t.Fatalf("the provider has no resource %s", typeName)
	}
	return schema.ValueType()
}

func (s *Session) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// value converts a Go value to a value of Terraform with a type.
func (s *Session) value(typ tftypes.Type, from any) tftypes.Value {
	s.t.Helper()
	if from == Unknown {
		return tftypes.NewValue(typ, Unknown)
	}
	switch typed := typ.(type) {
	case tftypes.Object:
		arguments, ok := from.(Object)
		if !ok {
			return tftypes.NewValue(typ, nil)
		}
		for name := range arguments {
			if typed.AttributeTypes[name] == nil {
				s.t.Fatalf("there is no argument %q", name)
			}
		}
		values := map[string]tftypes.Value{}
		for name, attribute := range typed.AttributeTypes {
			values[name] = s.value(attribute, arguments[name])
		}
		return tftypes.NewValue(typ, values)
	case tftypes.List:
		elements, ok := from.([]any)
		if !ok {
			return tftypes.NewValue(typ, nil)
		}
		values := []tftypes.Value{}
		for _, element := range elements {
			values = append(values, s.value(typed.ElementType, element))
		}
		return tftypes.NewValue(typ, values)
	case tftypes.Map:
		elements, ok := from.(Object)
		if !ok {
			return tftypes.NewValue(typ, nil)
		}
		values := map[string]tftypes.Value{}
		for name, element := range elements {
			values[name] = s.value(typed.ElementType, element)
		}
		return tftypes.NewValue(typ, values)
	default:
		s.check(tftypes.ValidateValue(typ, from))
		return tftypes.NewValue(typ, from)
	}
}

func (s *Session) encode(typ tftypes.Type, config Object) *tfprotov6.DynamicValue {
	s.t.Helper()
	if config == nil {
		config = Object{}
	}
	return s.dynamic(s.value(typ, config))
}

func (s *Session) dynamic(value tftypes.Value) *tfprotov6.DynamicValue {
	s.t.Helper()
	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	s.check(err)
	return &encoded
}

func (s *Session) decode(typeName string, value *tfprotov6.DynamicValue) tftypes.Value {
	s.t.Helper()
	if value == nil {
		return tftypes.NewValue(s.typeOf(typeName), nil)
	}
	decoded, err := value.Unmarshal(s.typeOf(typeName))
	s.check(err)
	return decoded
}

// Diagnostics are the errors and warnings of a call.
type Diagnostics []*tfprotov6.Diagnostic

// HasError tells whether one of them is an error.
func (d Diagnostics) HasError() bool { return d.Errors() != "" }

// Errors returns the text of the errors.
func (d Diagnostics) Errors() string { return d.text(tfprotov6.DiagnosticSeverityError) }

// Warnings returns the text of the warnings.
func (d Diagnostics) Warnings() string { return d.text(tfprotov6.DiagnosticSeverityWarning) }

// String returns the text of all errors and warnings.
func (d Diagnostics) String() string { return d.Errors() + d.Warnings() }

func (d Diagnostics) text(severity tfprotov6.DiagnosticSeverity) string {
	var text strings.Builder
	for _, diagnostic := range d {
		if diagnostic.Severity == severity {
			fmt.Fprintf(&text, "%s: %s (%s)\n\n%s\n\n", diagnostic.Severity, diagnostic.Summary, diagnostic.Attribute, diagnostic.Detail)
		}
	}
	return text.String()
}
