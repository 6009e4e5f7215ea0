package servermigration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// fixedType is the type of a nested attribute, worked out once. The framework
// does that anew for every value of every request, which for a thousand
// requests at a time is most of the provider's memory.
type fixedType struct {
	basetypes.ObjectType
	terraform tftypes.Type
}

var _ basetypes.ObjectTypable = fixedType{}

// fixed gives a nested attribute its fixed type.
func fixed(ctx context.Context, attribute schema.SingleNestedAttribute) schema.SingleNestedAttribute {
	object := types.ObjectType{AttrTypes: attribute.GetType().(attr.TypeWithAttributeTypes).AttributeTypes()}
	attribute.CustomType = fixedType{object, object.TerraformType(ctx)}
	return attribute
}

// TerraformType returns the type as it was worked out.
func (t fixedType) TerraformType(context.Context) tftypes.Type { return t.terraform }

// ValueFromTerraform is that of the type behind, which works its type out for a
// null or unknown value, too.
func (t fixedType) ValueFromTerraform(ctx context.Context, value tftypes.Value) (attr.Value, error) {
	switch {
	case value.Type() == nil || !value.Type().Equal(t.terraform):
	case !value.IsKnown():
		return types.ObjectUnknown(t.AttrTypes), nil
	case value.IsNull():
		return types.ObjectNull(t.AttrTypes), nil
	}
	return t.ObjectType.ValueFromTerraform(ctx, value)
}

// Equal compares the types behind.
func (t fixedType) Equal(other attr.Type) bool {
	if fixed, ok := other.(fixedType); ok {
		other = fixed.ObjectType
	}
	return t.ObjectType.Equal(other)
}
