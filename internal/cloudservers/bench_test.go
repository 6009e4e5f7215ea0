package cloudservers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// BenchmarkWatcherTick1000 is one poll of 1000 servers that are waited for and
// have not changed, the request to a stub in process included.
func BenchmarkWatcherTick1000(b *testing.B) {
	cloud := stub.New(stub.Config{})
	client, err := cloudservers.New(cloudservers.Config{
		IdentityEndpoint: stub.URL + "/v2.0/", Credentials: keyCredentials(), Transport: cloud.Transport(), PollInterval: time.Millisecond,
		Rates: cloudservers.Rates{Read: 1 << 30, Write: 1 << 30},
	})
	if err != nil {
		b.Fatal(err)
	}
	var ids []string
	for range 1000 {
		ids = append(ids, cloud.AddServer(stub.Server{}))
	}
	region, err := client.Region(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := region.Servers(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			polls := 0
			_ = region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) {
				polls++
				return polls >= b.N, nil
			})
		})
	}
	all.Wait()
}

// BenchmarkDecodePage1000 reads a page of 1000 servers as the API writes them.
func BenchmarkDecodePage1000(b *testing.B) {
	var documents []map[string]any
	for i := range 1000 {
		documents = append(documents, map[string]any{
			"id": fmt.Sprintf("5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d%04d", i), "name": "web", "status": "RESIZE", "hostId": "0123456789abcdef0123456789abcdef0123456789abcdef01234567",
			"updated": "2026-11-23T09:19:37Z", "created": "2026-11-23T09:19:37Z", "flavor": map[string]any{"id": "general1-1"}, "image": map[string]any{"id": "i"},
			"accessIPv4": "192.0.2.1", "accessIPv6": "2001:db8::1", "metadata": map[string]string{"role": "web"}, "progress": 50,
			"addresses":           map[string]any{"public": []map[string]any{{"addr": "192.0.2.1", "version": 4}}, "private": []map[string]any{{"addr": "10.0.0.1", "version": 4}}},
			"OS-EXT-STS:vm_state": "active", "OS-EXT-STS:task_state": "resize_migrating", "OS-EXT-STS:power_state": 1,
		})
	}
	page, err := json.Marshal(map[string]any{"servers": documents})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		var answer struct {
			Servers []*cloudservers.Server `json:"servers"`
		}
		if err := json.Unmarshal(page, &answer); err != nil || len(answer.Servers) != 1000 {
			b.Fatal(err)
		}
	}
}
