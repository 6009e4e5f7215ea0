package cloudservers

import (
	"encoding/json"
	"slices"
	"time"
)

// details are the fields of a server that migrations do not need ("Server details" in
// the Cloud Servers API documentation).
type details struct {
	Created          Field[utcTime]             `json:"created"`
	UserID           Field[identifier]          `json:"user_id"` // who created the server
	Image            Field[struct{ ID string }] `json:"image"`   // empty for a server that boots from a volume
	Metadata         Field[map[string]string]   `json:"metadata"`
	KeyName          Field[string]              `json:"key_name"`
	ConfigDrive      Field[string]              `json:"config_drive"`
	DiskConfig       Field[string]              `json:"OS-DCF:diskConfig"` // AUTO or MANUAL
	AvailabilityZone Field[string]              `json:"OS-EXT-AZ:availability_zone"`
	VMState          Field[string]              `json:"OS-EXT-STS:vm_state"`    // what the server is, below its status: active, stopped, resized, …
	PowerState       Field[*int]                `json:"OS-EXT-STS:power_state"` // the API's number of it
}

// Field is a field of an answer, as the API wrote it. It is parsed only when somebody
// asks for its Value. So it costs a poll nothing, and a mistake in it does not make the
// server unreadable.
type Field[T any] []byte

// UnmarshalJSON keeps what the API wrote.
func (f *Field[T]) UnmarshalJSON(data []byte) error {
	*f = slices.Clone(data)
	return nil
}

// Value parses the field. One that is missing, or that has another form than the API
// documents, is zero.
func (f Field[T]) Value() T {
	var value, none T
	if json.Unmarshal(f, &value) != nil {
		return none
	}
	return value
}

// ReadTime reads a time in the API's words. It is zero where they are no time.
func ReadTime(text string) time.Time {
	return Field[utcTime](`"` + text + `"`).Value().Time
}
