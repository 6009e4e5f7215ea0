package acctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// mirrorDir is the directory in which the provider of this tree was built; empty until then.
var mirrorDir string

// buildMirror builds the provider, once for all tests of a package.
var buildMirror = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "rackspace-mirror")
	if err != nil {
		return err
	}
	mirrorDir = dir
	build := exec.Command(inTree("tools/mirror"), dir)
	build.Stderr = os.Stderr
	return build.Run()
})

// inTree returns the path of a file of this tree.
func inTree(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../..", name)
}

// Mirror returns the path of a CLI configuration file. With it, Terraform installs the
// provider of this tree, and runs it as a process of its own.
func Mirror(t *testing.T) string {
	t.Helper()
	if err := buildMirror(); err != nil {
		t.Fatalf("cannot build the provider: %v", err)
	}
	return filepath.Join(mirrorDir, "cli.tfrc")
}

// binary returns the path of the provider that Mirror has built.
func binary(t *testing.T) string {
	t.Helper()
	return filepath.Join(filepath.Dir(Mirror(t)), "terraform-provider-rackspace_v0.1.0")
}

// RemoveMirror removes what Mirror has built. Call it at the end of TestMain.
func RemoveMirror() {
	if mirrorDir != "" {
		_ = os.RemoveAll(mirrorDir)
	}
}
