package servermigration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// newRollingModule is a copy of the module rolling-migration, ready to run.
func newRollingModule(t *testing.T, s *scenario) *tfexec.Terraform {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(examples + "/modules/rolling-migration/*.tf")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no module (%v)", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(text)
	}
	return s.terraform(files)
}

func TestAccModule_passesItsOwnTests(t *testing.T) {
	t.Parallel()
	s := newSamples(t)
	tf := newRollingModule(t, s)
	tests := filepath.Join(tf.WorkingDir(), "tests")
	if err := os.Mkdir(tests, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(examples + "/modules/rolling-migration/tests/rolling.tftest.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tests, "rolling.tftest.hcl"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); err != nil { // the tests have a provider block
		t.Fatal(err)
	}
	var output strings.Builder
	if err := tf.Test(t.Context(), &output); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	if got := s.Count(stub.CallMigrate); got != 3 {
		t.Errorf("got %d migrate requests, want 3\n%s", got, output.String())
	}
}

func TestAccModule_migratesNothingElseAfterAFailedCanary(t *testing.T) {
	t.Parallel()
	s := newSamples(t)
	tf := newRollingModule(t, s)
	configure := func(timeout string) {
		variables := `
canaries     = { sick = "` + stub.SampleSick1 + `", full = "` + stub.SampleFull1 + `" }
waves        = [{ web-1 = "` + stub.SampleWeb1 + `" }, { web-2 = "` + stub.SampleWeb2 + `", db-1 = "` + stub.SampleDB1 + `" }]
verification = { http = [{ url = "http://:8080/" }], interval = "100ms", timeout = "` + timeout + `" }
`
		if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "fleet.auto.tfvars"), []byte(variables), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure(failsAfter)
	err := tf.Apply(t.Context())
	if err == nil || !says("homesick-1", "rolled back").MatchString(err.Error()) || !says("full-1", "failed").MatchString(err.Error()) {
		t.Errorf("got %v, want both canaries to fail", err)
	}
	s.wantMigrated(t, stub.SampleSick1, stub.SampleFull1)

	// Both are repaired, and the waves go on.
	configure(passesWithin)
	s.SetServer(stub.SampleSick1, func(v *stub.Server) { v.Health = nil })
	s.SetServer(stub.SampleFull1, func(v *stub.Server) { v.Outcome = stub.OutcomeMoves })
	before := len(s.Requests())
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantMigrated(t, stub.SampleSick1, stub.SampleFull1, stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1)
	wave := map[string]int{stub.SampleSick1: 0, stub.SampleFull1: 0, stub.SampleWeb1: 1, stub.SampleWeb2: 2, stub.SampleDB1: 2}
	begun := 0
	for _, request := range s.Requests()[before:] {
		switch at := wave[request.ServerID]; {
		case request.Call == stub.CallMigrate && at < begun, request.Call == stub.CallConfirm && at != begun:
			t.Errorf("got a %s request of wave %d in wave %d", request.Call, at, begun)
		case request.Call == stub.CallMigrate:
			begun = at
		}
	}
}

// wantMigrated checks that these servers and no others were asked to migrate.
func (s *scenario) wantMigrated(t *testing.T, ids ...string) {
	t.Helper()
	asked := map[string]bool{}
	for _, request := range s.Requests() {
		if request.Call == stub.CallMigrate {
			asked[request.ServerID] = true
		}
	}
	for _, id := range ids {
		if !asked[id] {
			t.Errorf("server %s was not migrated", id)
		}
	}
	if len(asked) != len(ids) {
		t.Errorf("got %d servers migrated, want %d", len(asked), len(ids))
	}
}
