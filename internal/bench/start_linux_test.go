//go:build bench

package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
)

// TestStart measures how long a provider takes from its start until it has
// served its schema, and how large it is.
func TestStart(t *testing.T) {
	dir := t.TempDir()
	ours, empty := build(t, dir, "../..", "ours"), build(t, dir, "./empty", "empty")
	table := NewTable(t, "Start-up to schema served, medians of 31, in turn with an empty framework provider")
	var times [2][]float64
	for range 31 {
		for i, binary := range []string{ours, empty} {
			times[i] = append(times[i], start(t, binary).Seconds())
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	table.Note("ours", "start-up", times[0][15]*1000, "ms")
	table.Note("empty", "start-up", times[1][15]*1000, "ms")
	table.Most("ours, against empty", "start-up", times[0][15]/times[1][15], 1.3, "")
	for _, binary := range []string{ours, empty} {
		info, err := os.Stat(binary)
		if err != nil {
			t.Fatal(err)
		}
		table.Note(filepath.Base(binary), "size of the binary, stripped", float64(info.Size())/(1<<20), "MiB")
	}
}

// build builds a provider as a release does.
func build(t *testing.T, dir, source, name string) string {
	t.Helper()
	binary := filepath.Join(dir, name)
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// raw is a gRPC codec that decodes nothing. The request for the schema is an empty message,
// and of the answer only the length is kept.
type raw struct{}

func (raw) Marshal(any) ([]byte, error)        { return nil, nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*int) = len(data); return nil }
func (raw) Name() string                       { return "proto" }

var _ encoding.Codec = raw{}

// start starts a provider, and returns how long it took until it had served its schema.
func start(t *testing.T, binary string) time.Duration {
	t.Helper()
	provider := exec.CommandContext(t.Context(), binary)
	// Terraform sets these variables for a plugin. A plugin refuses to start without them.
	provider.Env = []string{"TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2", "PLUGIN_PROTOCOL_VERSIONS=6"}
	stdout, err := provider.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = provider.Process.Kill()
		_ = provider.Wait()
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	parts := strings.Split(line, "|") // version|protocol|network|address|…
	if err != nil || len(parts) < 5 {
		t.Fatalf("got %q (%v) from %s, want its address", line, err, binary)
	}
	conn, err := grpc.NewClient(fmt.Sprintf("%s:%s", parts[2], parts[3]), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	size := 0
	if err := conn.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", nil, &size, grpc.ForceCodec(raw{})); err != nil || size == 0 {
		t.Fatalf("got a schema of %d bytes (%v)", size, err)
	}
	return time.Since(began)
}
