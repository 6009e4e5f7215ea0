package server

import (
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// object has the values of an object by attribute, or those of a map by key. A value that
// is missing or nil is null.
type object map[string]any

// objectOf is a server as the data sources show it.
func objectOf(s *cloudservers.Server) object {
	shown := object{
		"id": s.ID, "name": s.Name, "status": s.Status, "task_state": orNull(s.TaskState), "vm_state": orNull(s.VMState.Value()),
		"power_state": s.PowerState.Value(), "progress": s.Progress,
		"host_id": s.HostID, "flavor_id": s.Flavor.ID, "image_id": orNull(s.Image.Value().ID),
		"access_ip_v4": orNull(s.AccessIPv4), "access_ip_v6": orNull(s.AccessIPv6),
		"created": timestamp(s.Created.Value().Time), "updated": timestamp(cloudservers.ReadTime(s.Updated)), "launched_at": timestamp(cloudservers.ReadTime(s.LaunchedAt)),
		"tenant_id": orNull(string(s.TenantID)), "user_id": orNull(string(s.UserID.Value())), "key_name": orNull(s.KeyName.Value()),
		"config_drive": orNull(s.ConfigDrive.Value()), "disk_config": orNull(s.DiskConfig.Value()), "availability_zone": orNull(s.AvailabilityZone.Value()),
	}
	networks, metadata := object{}, object{}
	for network, field := range s.Addresses.Value() {
		addresses, list := field.Value(), []any{}
		if addresses == nil {
			continue // its JSON is not as the API documents it
		}
		for _, address := range addresses {
			list = append(list, object{"address": address.Address, "version": address.Version})
		}
		networks[network] = list
	}
	for key, value := range s.Metadata.Value() {
		metadata[key] = value
	}
	shown["addresses"], shown["metadata"] = networks, metadata
	if s.Fault != nil {
		shown["fault"] = object{"code": s.Fault.Code, "message": s.Fault.Message, "details": orNull(s.Fault.Details)}
	}
	return shown
}

// valueOf converts a value to the type that the schema gives it. The framework could do
// that with structs and reflection, but a plan that finds 3,000 servers would then need
// twice the processor time.
func valueOf(typ tftypes.Type, from any) tftypes.Value {
	values := map[string]tftypes.Value{}
	switch typ := typ.(type) {
	case tftypes.Object:
		attributes, ok := from.(object)
		if !ok {
			return tftypes.NewValue(typ, nil)
		}
		for name, attribute := range typ.AttributeTypes {
			values[name] = valueOf(attribute, attributes[name])
		}
		return tftypes.NewValue(typ, values)
	case tftypes.Map:
		for key, element := range from.(object) {
			values[key] = valueOf(typ.ElementType, element)
		}
		return tftypes.NewValue(typ, values)
	case tftypes.List:
		elements := []tftypes.Value{}
		for _, element := range from.([]any) {
			elements = append(elements, valueOf(typ.ElementType, element))
		}
		return tftypes.NewValue(typ, elements)
	default:
		return tftypes.NewValue(typ, from)
	}
}

// orNull is null for an empty text: the API did not tell it.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// timestamp is the time in RFC 3339, or null for the zero time.
func timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
