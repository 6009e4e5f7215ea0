package cloudservers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// details are the values of the fields that migrations do not need.
type details struct {
	Created, Updated, LaunchedAt                                                 time.Time
	ImageID, UserID, KeyName, ConfigDrive, DiskConfig, AvailabilityZone, VMState string
	Metadata                                                                     map[string]string
	PowerState                                                                   *int
}

func detailsOf(s *cloudservers.Server) details {
	return details{
		Created: s.Created.Value().Time, Updated: cloudservers.ReadTime(s.Updated), LaunchedAt: cloudservers.ReadTime(s.LaunchedAt),
		ImageID: s.Image.Value().ID, UserID: string(s.UserID.Value()), KeyName: s.KeyName.Value(), ConfigDrive: s.ConfigDrive.Value(),
		DiskConfig: s.DiskConfig.Value(), AvailabilityZone: s.AvailabilityZone.Value(), VMState: s.VMState.Value(),
		Metadata: s.Metadata.Value(), PowerState: s.PowerState.Value(),
	}
}

func TestServer_hasTheDetailsThatTheAPIDocuments(t *testing.T) {
	shutDown := 4
	tests := []struct {
		name string
		body string // the server beside its id and status
		want details
	}{
		{"all", `"created":"2026-11-23T09:19:37Z","updated":"2026-11-23T10:00:00+01:00","OS-SRV-USG:launched_at":"2026-11-23T09:20:00.000000",
			"user_id":10042,"image":{"id":"image-1","links":[]},"metadata":{"role":"web"},"key_name":"key","config_drive":"True",
			"OS-DCF:diskConfig":"AUTO","OS-EXT-AZ:availability_zone":"nova","OS-EXT-STS:vm_state":"stopped","OS-EXT-STS:power_state":4`,
			details{
				Created: at(9, 19, 37), Updated: at(9, 0, 0), LaunchedAt: at(9, 20, 0), UserID: "10042", ImageID: "image-1",
				Metadata: map[string]string{"role": "web"}, KeyName: "key", ConfigDrive: "True", DiskConfig: "AUTO",
				AvailabilityZone: "nova", VMState: "stopped", PowerState: &shutDown,
			}},
		{"none", `"name":"web-1"`, details{}},
		{"null", `"created":null,"updated":null,"OS-SRV-USG:launched_at":null,"user_id":null,"image":null,"metadata":null,"key_name":null,
			"config_drive":null,"OS-DCF:diskConfig":null,"OS-EXT-AZ:availability_zone":null,"OS-EXT-STS:vm_state":null,"OS-EXT-STS:power_state":null`,
			details{}},
		{"boots from a volume", `"image":""`, details{}},
		{"in another form", `"created":"yesterday","updated":"later","OS-SRV-USG:launched_at":"\"","user_id":[1],"image":7,"metadata":[],"key_name":{},
			"config_drive":true,"OS-DCF:diskConfig":1,"OS-EXT-AZ:availability_zone":[],"OS-EXT-STS:vm_state":3,"OS-EXT-STS:power_state":"on"`,
			details{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cloud := stub.New(stub.Config{})
			id := cloud.AddServer(stub.Server{})
			cloud.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusOK, Body: `{"server":{"id":"` + id + `","status":"ACTIVE",` + test.body + `}}`})
			server, err := region(t, newClient(t, cloud, nil)).Server(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, detailsOf(server)); diff != "" {
				t.Errorf("got other details than wanted (-want +got):\n%s", diff)
			}
		})
	}
}

func at(hour, minute, second int) time.Time {
	return time.Date(2026, 11, 23, hour, minute, second, 0, time.UTC)
}

func TestServer_saysWhyItIsInError(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	cloud.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusOK, Body: `{"server":{"id":"` + id +
		`","status":"ERROR","fault":{"code":500,"message":"No <b>valid</b> host","details":"File \"x.py\",\n line 1","created":"2026-11-23T09:19:37Z"}}}`})
	server, err := region(t, newClient(t, cloud, nil)).Server(t.Context(), id)
	want := cloudservers.ServerFault{Code: 500, Message: "No valid host", Details: `File "x.py", line 1`}
	if err != nil || *server.Fault != want {
		t.Errorf("got %+v (%v), want %+v", server.Fault, err, want)
	}
}
