// Package release tests what a release publishes. Terraform must install it, with
// checksums, and it must name the commit that it was built from. tools/release-test builds
// the release that these tests need.
package release

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const (
	top    = "../.."
	server = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
)

// build is a release that GoReleaser has built.
type build struct {
	dir             string
	Version, Commit string
}

// buildUnderTest is the release in the directory $RELEASE_DIST, which is an absolute path.
func buildUnderTest(t *testing.T) build {
	t.Helper()
	b := build{dir: os.Getenv("RELEASE_DIST")}
	if b.dir == "" {
		t.Skip("make release-test builds a release, and sets RELEASE_DIST")
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(b.dir, "metadata.json"))), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b build) name(suffix string) string {
	return fmt.Sprintf("terraform-provider-rackspace_%s_%s", b.Version, suffix)
}

func (b build) archive() string {
	return b.name(runtime.GOOS + "_" + runtime.GOARCH + ".zip")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRelease_listsTheChecksumOfEachFile(t *testing.T) {
	b := buildUnderTest(t)
	missing := map[string]bool{
		b.archive(): true, b.name("manifest.json"): true,
		strings.TrimSuffix(b.archive(), ".zip") + ".cdx.json": true,
	}
	for line := range strings.Lines(read(t, filepath.Join(b.dir, b.name("SHA256SUMS")))) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		path := filepath.Join(b.dir, name)
		if name == b.name("manifest.json") { // GoReleaser renames it when it publishes it
			path = filepath.Join(top, "terraform-registry-manifest.json")
		}
		sum := sha256.Sum256([]byte(read(t, path)))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("got the checksum %s of %s, want %s", got, name, want)
		}
		delete(missing, name)
	}
	if len(missing) > 0 {
		t.Errorf("got no checksums of %v", missing)
	}
}

// installation is a directory with a configuration, and a mirror of providers.
type installation struct {
	t    *testing.T
	dir  string
	more []string // environment variables
}

// install writes a configuration, and a mirror with one packed provider.
func install(t *testing.T, b build, config string) *installation {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	i := &installation{t: t, dir: t.TempDir()}
	write(t, filepath.Join(i.dir, "main.tf"), config)
	i.mirror(b.archive(), read(t, filepath.Join(b.dir, b.archive())))
	settings := filepath.Join(i.dir, "cli.tfrc")
	write(t, settings, fmt.Sprintf("provider_installation {\n  filesystem_mirror { path = %q }\n}\n", filepath.Join(i.dir, "mirror")))
	i.more = []string{"TF_CLI_CONFIG_FILE=" + settings, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	return i
}

// mirror puts an archive under the addresses that Terraform and OpenTofu use.
func (i *installation) mirror(name, archive string) {
	i.t.Helper()
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		write(i.t, filepath.Join(i.dir, "mirror", host, "terraform-provider-rackspace/rackspace", name), archive)
	}
}

// run runs a command in the directory, and returns what it says.
func (i *installation) run(name string, args ...string) (string, error) {
	command := exec.CommandContext(i.t.Context(), name, args...)
	command.Dir, command.Env = i.dir, append(os.Environ(), i.more...)
	output, err := command.CombinedOutput()
	return string(output), err
}

func (i *installation) mustRun(name string, args ...string) string {
	i.t.Helper()
	output, err := i.run(name, args...)
	if err != nil {
		i.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return output
}

// cli is the path of Terraform or OpenTofu.
func cli() string { return os.Getenv("TF_ACC_TERRAFORM_PATH") }

// forget deletes what an init has installed, but keeps the lock file.
func (i *installation) forget() {
	i.t.Helper()
	if err := os.RemoveAll(filepath.Join(i.dir, ".terraform")); err != nil {
		i.t.Fatal(err)
	}
}

// configuration is one that requires the provider, followed by rest.
func configuration(rest string) string {
	return `terraform {
  required_providers {
    rackspace = { source = "terraform-provider-rackspace/rackspace" }
  }
}
` + rest
}

func TestAccRelease_installsWithChecksumsFromAMirror(t *testing.T) {
	b := buildUnderTest(t)
	i := install(t, b, configuration(`provider "rackspace" {}`))
	i.mustRun(cli(), "init", "-no-color", "-input=false")

	archive := filepath.Join(b.dir, b.archive())
	sum, err := dirhash.HashZip(archive, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	lock := read(t, filepath.Join(i.dir, ".terraform.lock.hcl"))
	for _, want := range []string{fmt.Sprintf("version = %q", b.Version), fmt.Sprintf("%q", sum)} {
		if !strings.Contains(lock, want) {
			t.Errorf("got the lock file, want %s in it:\n%s", want, lock)
		}
	}

	i.forget()
	i.mustRun(cli(), "init", "-no-color", "-input=false", "-lockfile=readonly")

	i.forget()
	i.mirror(b.archive(), tampered(t, archive))
	output, err := i.run(cli(), "init", "-no-color", "-input=false")
	if err == nil || !strings.Contains(strings.Join(strings.Fields(output), " "), "match any of the checksums") {
		t.Errorf("got %v from an init with an archive that was changed, want an error about checksums:\n%s", err, output)
	}
}

// tampered is an archive to which a file was added.
func tampered(t *testing.T, archive string) string {
	t.Helper()
	original, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer original.Close() //nolint:errcheck // it was only read
	var text strings.Builder
	changed := zip.NewWriter(&text)
	for _, file := range original.File {
		if err := changed.Copy(file); err != nil {
			t.Fatal(err)
		}
	}
	file, err := changed.Create("added")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, "by somebody else"); err != nil {
		t.Fatal(err)
	}
	if err := changed.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestAccRelease_saysItsVersionAndCommit(t *testing.T) {
	b := buildUnderTest(t)
	cloud := acctest.NewCloud(t, stub.Config{})
	cloud.AddServer(stub.Server{ID: server, Name: "web-1"})
	i := install(t, b, configuration(cloud.Provider("", fmt.Sprintf("data \"rackspace_server\" \"web\" {\n  id = %q\n}\n", server))))
	i.mustRun(cli(), "init", "-no-color", "-input=false")
	i.mustRun(cli(), "apply", "-no-color", "-input=false", "-auto-approve")

	record := cloud.Requests()
	if len(record) == 0 {
		t.Error("got no requests")
	}
	for _, request := range record {
		var version, commit string
		agent := request.Header.Get("User-Agent")
		_, err := fmt.Sscanf(agent, "terraform-provider-rackspace/%s (%s Terraform/", &version, &commit)
		commit = strings.TrimSuffix(commit, ")")
		if err != nil || version != b.Version || len(commit) < 7 || !strings.HasPrefix(b.Commit, commit) {
			t.Errorf("got User-Agent %q, want the version %s and the commit %s in it", agent, b.Version, b.Commit)
		}
	}
}

func TestAccRelease_playsTheDemo(t *testing.T) {
	b := buildUnderTest(t)
	i := install(t, b, "")
	demo, err := filepath.Abs(filepath.Join(top, "tools/demo"))
	if err != nil {
		t.Fatal(err)
	}
	stubCommand := filepath.Join(i.dir, "rackspace-stub")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", stubCommand, "../stub/cmd/rackspace-stub")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the stub: %v\n%s", err, output)
	}
	i.mustRun(stubCommand, "-speed", "3", "--", demo, i.dir)
}
