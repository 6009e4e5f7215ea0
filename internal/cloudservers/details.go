package cloudservers

import (
	"encoding/json"
	"time"
)

// otherFields are the fields of a server that migrations do not need, as the API
// wrote them. They are parsed only when somebody asks for Details. So they cost a poll
// nothing, and a mistake in one does not make the server unreadable.
type otherFields struct {
	Created          json.RawMessage `json:"created"`
	UserID           json.RawMessage `json:"user_id"`
	Image            json.RawMessage `json:"image"`
	Metadata         json.RawMessage `json:"metadata"`
	KeyName          json.RawMessage `json:"key_name"`
	ConfigDrive      json.RawMessage `json:"config_drive"`
	DiskConfig       json.RawMessage `json:"OS-DCF:diskConfig"`
	AvailabilityZone json.RawMessage `json:"OS-EXT-AZ:availability_zone"`
	VMState          json.RawMessage `json:"OS-EXT-STS:vm_state"`
	PowerState       json.RawMessage `json:"OS-EXT-STS:power_state"`
}

// Details are what the API tells of a server beside the fields of Server ("Server
// details" in the Cloud Servers API documentation). What the API does not tell, or
// tells in another form than it documents, has its zero value.
type Details struct {
	Created    time.Time
	Updated    time.Time
	LaunchedAt time.Time

	ImageID          string // empty for a server that boots from a volume
	Metadata         map[string]string
	UserID           string // who created the server
	KeyName          string
	ConfigDrive      string
	DiskConfig       string // AUTO or MANUAL
	AvailabilityZone string
	VMState          string // what the server is, below its status: active, stopped, resized, …
	PowerState       *int   // the API's number of it; nil where the API does not tell
}

// Details reads the details of the server out of the API's answer.
func (s *Server) Details() Details {
	return Details{
		Created: readField[utcTime](s.Created).Time, Updated: readTime(s.Updated), LaunchedAt: readTime(s.LaunchedAt),
		ImageID:          readField[struct{ ID string }](s.Image).ID,
		Metadata:         readField[map[string]string](s.Metadata),
		UserID:           string(readField[identifier](s.UserID)),
		KeyName:          readField[string](s.KeyName),
		ConfigDrive:      readField[string](s.ConfigDrive),
		DiskConfig:       readField[string](s.DiskConfig),
		AvailabilityZone: readField[string](s.AvailabilityZone),
		VMState:          readField[string](s.VMState),
		PowerState:       readField[*int](s.PowerState),
	}
}

// readField reads one field. One that is missing, or that has another form, is zero.
func readField[T any](raw json.RawMessage) T {
	var value, none T
	if json.Unmarshal(raw, &value) != nil {
		return none
	}
	return value
}

// readTime reads a time of the API; zero where it has none.
func readTime(text string) time.Time { return readField[utcTime]([]byte(`"` + text + `"`)).Time }
