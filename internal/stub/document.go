package stub

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// timeFormat is how the API writes times where it names no zone: they are UTC.
const timeFormat = "2006-01-02T15:04:05.000000"

// statusesWithProgress are those in which a server has a progress.
var statusesWithProgress = []string{statusActive, "BUILD", "REBUILD", statusResize, statusVerifyResize, "MIGRATING"}

// powerStates are Nova's numbers of the power states that go with a vm_state. With
// all others the server runs, which is 1.
var powerStates = map[string]int{
	vmStopped: 4, vmDeleted: 0, vmSoftDeleted: 4, "building": 0, "paused": 3, "suspended": 7, "shelved": 4, "shelved_offloaded": 4,
}

// document is a server as the API shows it.
func (s *Stub) document(v *server, c *call) object {
	status := v.Status
	if word := v.StatusWords[status]; word != "" {
		status = word
	}
	document := object{
		"id": v.ID, "name": v.Name, "status": status, "tenant_id": v.TenantID, "user_id": s.config.Users[0].ID,
		"created": v.created.Format(time.RFC3339), "updated": v.updated.Format(time.RFC3339),
		"hostId": v.HostID, "accessIPv4": v.AccessIPv4, "accessIPv6": v.AccessIPv6,
		"addresses": v.addresses(), "metadata": object{}, "key_name": nil, "config_drive": "",
		"links":             []object{c.link("self", "/"+c.version, "servers", v.ID), c.link("bookmark", "", "servers", v.ID)},
		"flavor":            object{"id": v.FlavorID, "links": []object{c.link("bookmark", "", "flavors", v.FlavorID)}},
		"image":             object{"id": v.imageID, "links": []object{c.link("bookmark", "", "images", v.imageID)}},
		"OS-DCF:diskConfig": "AUTO", "OS-EXT-AZ:availability_zone": "nova",
		"OS-EXT-STS:vm_state": v.VMState, "OS-EXT-STS:task_state": orNull(v.TaskState), "OS-EXT-STS:power_state": v.powerState(),
		"OS-SRV-USG:launched_at": v.launched.Format(timeFormat), "OS-SRV-USG:terminated_at": nil,
		"os-extended-volumes:volumes_attached": []object{},
	}
	if v.Metadata != nil {
		document["metadata"] = v.Metadata
	}
	if slices.Contains(statusesWithProgress, v.Status) && !v.NoProgress {
		document["progress"] = v.percent
	}
	if v.NoHostID {
		document["hostId"] = ""
	}
	if v.fault != nil && v.Status == statusError {
		document["fault"] = v.fault
	}
	if !v.terminated.IsZero() {
		document["OS-SRV-USG:terminated_at"] = v.terminated.Format(timeFormat)
	}
	return document
}

// link is a link to an object of the call's region. Only links to self name the
// version of the API.
func (c *call) link(rel, version, objects, id string) object {
	return object{"rel": rel, "href": c.base + "/" + c.region + version + "/" + c.tenant + "/" + objects + "/" + id}
}

// orNull is the JSON value of a text: null for an empty one.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (v *server) powerState() int {
	if state, known := powerStates[v.VMState]; known {
		return state
	}
	if v.VMState == vmResized && (v.PoweredOff || v.stopped) {
		return powerStates[vmStopped]
	}
	return 1
}

// addresses are the addresses of a server by network. Each network has an interface
// of its own.
func (v *server) addresses() object {
	networks := v.Addresses
	if networks == nil {
		networks = map[string][]string{"public": {v.AccessIPv4, v.AccessIPv6}}
	}
	document := object{}
	for name, addresses := range networks {
		sum := sha256.Sum256([]byte(v.ID + name))
		mac := fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", sum[0], sum[1], sum[2])
		var shown []object
		for _, address := range addresses {
			if address == "" {
				continue
			}
			version := 4
			if strings.Contains(address, ":") {
				version = 6
			}
			shown = append(shown, object{"addr": address, "version": version, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac})
		}
		if shown != nil {
			document[name] = shown
		}
	}
	return document
}

// actionLog is GET …/os-instance-actions, and …/os-instance-actions/{request_id}.
func (s *Stub) actionLog(v *server, c *call) *answer {
	documents := []object{}
	for _, action := range v.log {
		document := object{
			"action": action.Action, "instance_uuid": v.ID, "request_id": action.RequestID,
			"start_time": action.Start.Format(timeFormat), "message": orNull(action.Message),
			"user_id": orNull(action.UserID), "project_id": orNull(s.tenantOf(action.UserID, v)),
		}
		if len(c.rest) == 4 && c.rest[3] == action.RequestID {
			return reply(http.StatusOK, object{"instanceAction": document})
		}
		documents = append(documents, document)
	}
	if len(c.rest) > 3 {
		return refuse(http.StatusNotFound, "Action for request_id "+c.rest[3]+" on instance "+v.ID+" not found")
	}
	return reply(http.StatusOK, object{"instanceActions": documents})
}

// tenantOf is the tenant of a user who has done something to a server. A user of the stub
// has the stub's tenant, and any other user has the server's. The cloud itself has none.
func (s *Stub) tenantOf(userID string, v *server) string {
	_, own := s.user(func(u User) bool { return u.ID == userID })
	switch {
	case userID == "":
		return ""
	case own:
		return s.config.TenantID
	default:
		return v.TenantID
	}
}
