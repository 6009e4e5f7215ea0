package server

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// serverAttributes are the attributes of a server that was found. An attribute of others
// is added, or replaces the one of the same name.
func serverAttributes(others map[string]schema.Attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"id":     computed("UUID of the server."),
		"name":   computed("Name of the server. Several servers can have the same name."),
		"status": computed("Status of the server in the API's words, such as `ACTIVE`, `SHUTOFF` or `VERIFY_RESIZE`."),
		"task_state": computed("What is being done to the server, in the API's words, such as `resize_migrating`. " +
			"Null while nothing is being done to it."),
		"vm_state": computed("State of the virtual machine in the API's words, such as `active`, `stopped` or `resized`. It is more exact than the status."),
		"power_state": schema.Int64Attribute{
			MarkdownDescription: "Number of the power state. `1` is running, `3` paused, `4` shut down, `6` crashed and `7` suspended. `0` means that it is not known.",
			Computed:            true,
		},
		"progress": schema.Int64Attribute{
			MarkdownDescription: "Progress of the task in percent. Some hosts always report `0`. It is also `0` if the API does not report it.",
			Computed:            true,
		},
		"host_id": computed("Id of the hypervisor host that the server is on. A host has another id in each account. Servers of one account with the same `host_id` are on the same host. " +
			"It is empty, not null, if the API does not tell the host. " +
			"An empty `host_id` as an argument of `rackspace_servers` is an error. So it never means all servers."),
		"flavor_id":    computed("Id of the server's flavor, which is its size."),
		"image_id":     computed("Id of the image that the server was made from. Null for a server that boots from a volume."),
		"access_ip_v4": computed("IPv4 address to reach the server at, if it has one."),
		"access_ip_v6": computed("IPv6 address to reach the server at, if it has one."),
		"addresses": schema.MapAttribute{
			MarkdownDescription: "All addresses of the server by network, such as `public` and `private`. Each has its `address` and its `version`, `4` or `6`.",
			ElementType: types.ListType{ElemType: types.ObjectType{AttrTypes: map[string]attr.Type{
				"address": types.StringType, "version": types.Int64Type,
			}}},
			Computed: true,
		},
		"metadata": schema.MapAttribute{
			MarkdownDescription: "Metadata of the server.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"created":           computed("When the server was created. Times are RFC 3339 in UTC."),
		"updated":           computed("When the server last changed. A confirmation does not change it."),
		"launched_at":       computed("When the server last began to run on a host. A migration changes it when it begins to await confirmation. Null if the API does not tell."),
		"tenant_id":         computed("Id of the tenant (project) that the server belongs to."),
		"user_id":           computed("Id of the user who created the server."),
		"key_name":          computed("Name of the key pair that the server was created with, if there is one."),
		"config_drive":      computed("`True` for a server with a configuration drive. Null for one without."),
		"disk_config":       computed("How the disk is partitioned: `AUTO` or `MANUAL`."),
		"availability_zone": computed("Availability zone of the server."),
		"fault": schema.SingleNestedAttribute{
			MarkdownDescription: "Why the server is in `ERROR`. Null in every other status.",
			Computed:            true,
			Attributes: map[string]schema.Attribute{
				"code":    schema.Int64Attribute{MarkdownDescription: "Code of the fault, such as `500`.", Computed: true},
				"message": computed("What went wrong."),
				"details": computed("More details. Usually the API shows them to administrators only."),
			},
		},
	}
	maps.Copy(attributes, others)
	return attributes
}

func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

// regionAttribute is the argument that every data source has.
func regionAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Region to look in, such as `ORD`, in any letter case. Defaults to the provider's region.",
		Optional:            true,
		Computed:            true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}
