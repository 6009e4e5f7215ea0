package stub

import (
	"maps"
	"slices"
)

// Statuses of the API, and the vm_states and task_states of Nova.
const (
	statusActive       = "ACTIVE"
	statusShutoff      = "SHUTOFF"
	statusResize       = "RESIZE"
	statusVerifyResize = "VERIFY_RESIZE"
	statusRevertResize = "REVERT_RESIZE"
	statusError        = "ERROR"
	statusDeleted      = "DELETED"
	statusSoftDeleted  = "SOFT_DELETED"

	vmActive      = "active"
	vmStopped     = "stopped"
	vmResized     = "resized"
	vmError       = "error"
	vmDeleted     = "deleted"
	vmSoftDeleted = "soft_deleted"

	taskResizePrep      = "resize_prep"
	taskResizeMigrating = "resize_migrating"
	taskResizeMigrated  = "resize_migrated"
	taskResizeFinish    = "resize_finish"
	taskResizeReverting = "resize_reverting"
	taskPoweringOff     = "powering-off"
	taskDeleting        = "deleting"
	taskSoftDeleting    = "soft-deleting"
)

// state is what Nova derives a server's status from: its vm_state and its task_state.
type state struct{ vm, task string }

// states has the state of a server for each status of Nova. A server with any other
// status has the state of an ACTIVE one.
var states = map[string]state{
	statusActive:        {vmActive, ""},
	statusShutoff:       {vmStopped, ""},
	statusResize:        {vmActive, taskResizeMigrating},
	statusVerifyResize:  {vmResized, ""},
	statusRevertResize:  {vmResized, taskResizeReverting},
	statusError:         {vmError, ""},
	statusDeleted:       {vmDeleted, ""},
	statusSoftDeleted:   {vmSoftDeleted, ""},
	"MIGRATING":         {vmActive, "migrating"},
	"BUILD":             {"building", ""},
	"REBOOT":            {vmActive, "rebooting"},
	"HARD_REBOOT":       {vmActive, "rebooting_hard"},
	"PASSWORD":          {vmActive, "updating_password"},
	"REBUILD":           {vmActive, "rebuilding"},
	"RESCUE":            {"rescued", ""},
	"SUSPENDED":         {"suspended", ""},
	"PAUSED":            {"paused", ""},
	"SHELVED":           {"shelved", ""},
	"SHELVED_OFFLOADED": {"shelved_offloaded", ""},
}

// Statuses are the statuses that a server can have, in alphabetical order.
func Statuses() []string { return slices.Sorted(maps.Keys(states)) }

func stateOf(status string) state {
	if known, ok := states[status]; ok {
		return known
	}
	return states[statusActive]
}
