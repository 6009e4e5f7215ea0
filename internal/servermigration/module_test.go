package servermigration_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const rollingModule = examples + "/modules/rolling-migration"

// moduleFiles returns the files of the module rolling-migration, placed in a directory.
func moduleFiles(t *testing.T, directory string) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(rollingModule + "/*.tf")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no files of the module (%v)", err)
	}
	for _, path := range paths {
		files[filepath.Join(directory, filepath.Base(path))] = readFile(t, path)
	}
	return files
}

// newRollingModule is a copy of the module rolling-migration, ready to run.
func newRollingModule(t *testing.T, s *cloudTest) *tfexec.Terraform {
	t.Helper()
	return s.terraform(moduleFiles(t, "."))
}

// configure sets the variables of a module.
func configure(t *testing.T, tf *tfexec.Terraform, variables string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "fleet.auto.tfvars"), []byte(variables), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAccModule_passesItsOwnTests(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf := newRollingModule(t, s)
	tests := filepath.Join(tf.WorkingDir(), "tests")
	if err := os.Mkdir(tests, 0o700); err != nil {
		t.Fatal(err)
	}
	text := readFile(t, rollingModule+"/tests/rolling.tftest.hcl")
	if err := os.WriteFile(filepath.Join(tests, "rolling.tftest.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); err != nil { // the tests have a provider block
		t.Fatal(err)
	}
	var output strings.Builder
	if err := tf.Test(t.Context(), &output); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	if got := s.Count(stub.CallMigrate); got != 4 {
		t.Errorf("got %d migrate requests, want 4\n%s", got, output.String())
	}
}

func TestAccModule_migratesNothingElseAfterAFailedCanary(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf := newRollingModule(t, s)
	setTimeout := func(timeout string) {
		configure(t, tf, `
canaries     = { licensed = "`+stub.SampleLicensed1+`", full = "`+stub.SampleFull1+`" }
waves        = [{ web-1 = "`+stub.SampleWeb1+`" }, { web-2 = "`+stub.SampleWeb2+`", db-1 = "`+stub.SampleDB1+`" }]
verification = { http = [{ url = "http://:8080/" }], interval = "100ms", timeout = "`+timeout+`" }
`)
	}
	setTimeout(failsAfter)
	err := tf.Apply(t.Context())
	if err == nil || !says("licensed-1", "was reverted: the server did not pass its verification").MatchString(err.Error()) || !says("full-1", "failed").MatchString(err.Error()) {
		t.Errorf("got %v, want both canaries to fail", err)
	}
	s.wantMigrated(t, stub.SampleLicensed1, stub.SampleFull1)

	// After both canaries are repaired, the waves begin.
	setTimeout(passesWithin)
	s.SetServer(stub.SampleLicensed1, func(v *stub.Server) { v.Health = nil })
	s.SetServer(stub.SampleFull1, func(v *stub.Server) { v.Outcome = stub.OutcomeMoves })
	before := len(s.Requests())
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantMigrated(t, stub.SampleLicensed1, stub.SampleFull1, stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1)
	wave := map[string]int{stub.SampleLicensed1: 0, stub.SampleFull1: 0, stub.SampleWeb1: 1, stub.SampleWeb2: 2, stub.SampleDB1: 2}
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

// A reverted migration does not begin again by itself, so a later apply does nothing for
// that server. The waves must not begin anyway.
func TestAccModule_beginsNoWaveWhileACanaryIsRolledBack(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf := newRollingModule(t, s)
	configureFleet := func(move, verification, verifications string) {
		configure(t, tf, fmt.Sprintf(`
canaries      = { licensed-1 = %q, a-web-1 = %q }
waves         = [{ web-2 = %q }]
verification  = %s
verifications = %s
triggers      = { move = %q }
`, stub.SampleLicensed1, stub.SampleWeb1, stub.SampleWeb2, verification, verifications, move))
	}
	check := func(arguments string) string {
		return `{ http = [{ url = "http://:8080/" }], interval = "100ms", ` + arguments + ` }`
	}
	configureFleet("1", "null", "{}")
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	licensed := check(`timeout = "` + failsAfter + `", preflight = false`)
	steps := []struct {
		name  string
		web1  string // its verification
		wants *regexp.Regexp
	}{
		{"one canary is reverted, the other fails its preflight", check(`preflight_timeout = "1s", body_contains = "nothing"`), says("licensed-1", "was reverted: the server did not pass its verification")},
		{"only the other canary has a change", check(""), says("No later wave begins", "licensed-1")},
		{"no canary has a change", check(""), says("No later wave begins", "licensed-1")},
	}
	for _, step := range steps {
		configureFleet("2", "null", "{ licensed-1 = "+licensed+", a-web-1 = "+step.web1+" }")
		if err := tf.Apply(t.Context()); err == nil || !step.wants.MatchString(err.Error()) {
			t.Errorf("%s: got %v, want an error that matches %s", step.name, err, step.wants)
		}
	}
	s.wantSent(t, stub.SampleLicensed1, sent{migrates: 2, confirms: 1, reverts: 1})
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 2, confirms: 2})
	s.wantSent(t, stub.SampleWeb2, sent{migrates: 1, confirms: 1})
	if err := tf.Destroy(t.Context()); err != nil {
		t.Errorf("cannot destroy the migrations: %v", err)
	}
}

// readmeBlocks are the three configurations in the module's README.md. The first has server
// ids, the second a data source. The third is one line that makes a map from a data source.
func readmeBlocks(t *testing.T) (blocks []string) {
	t.Helper()
	for _, found := range regexp.MustCompile("(?s)```terraform\n(.*?)```").FindAllStringSubmatch(readFile(t, rollingModule+"/README.md"), -1) {
		blocks = append(blocks, found[1])
	}
	if len(blocks) != 3 {
		t.Fatalf("got %d configurations in the module's README.md, want 3", len(blocks))
	}
	return blocks
}

func TestAccModule_takesWhatADataSourceFinds(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	ids := []string{stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1}
	for wave, id := range ids {
		s.SetServer(id, func(v *stub.Server) { v.Metadata = map[string]string{"wave": fmt.Sprint(wave)} })
	}
	blocks := readmeBlocks(t)
	files := moduleFiles(t, "rolling-migration")
	files["main.tf"] = readExamples(t, "provider/provider.tf") + blocks[1]
	tf := s.terraform(files)
	applyAndPlan(t, tf)
	s.wantMigrated(t, ids...)
	s.wantOrder(t, ids...)

	// The map from the third block gives the same canaries.
	byHand := regexp.MustCompile(`(?m)^ *canaries .*\n`).ReplaceAllLiteralString(blocks[1], blocks[2])
	text := strings.Replace(readExamples(t, "provider/provider.tf")+byHand, "module ", `data "rackspace_servers" "web" { metadata = { wave = "0" } }`+"\n\nmodule ", 1)
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if changes, err := tf.Plan(t.Context()); err != nil || changes {
		t.Errorf("got changes %t (%v), want none", changes, err)
	}

	// Two servers with one name have no entry.
	s.AddServer(stub.Server{Name: "web-1", Region: "ORD", Metadata: map[string]string{"wave": "0"}})
	files["main.tf"] = readExamples(t, "provider/provider.tf") + blocks[1]
	if _, err := s.terraform(files).Plan(t.Context()); err == nil || !says("A canary has no id", "several servers have").MatchString(err.Error()) {
		t.Errorf("got %v, want an error that the canary has no id", err)
	}
}

func TestAccModule_plansWhatItsREADMEShows(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	blocks := readmeBlocks(t)
	files := moduleFiles(t, "rolling-migration")
	files["main.tf"] = blocks[0]
	tf := s.terraform(files)
	if _, err := tf.Plan(t.Context(), tfexec.Var("health_token=secret"), tfexec.Out("plan")); err != nil {
		t.Fatal(err)
	}
	plan, err := tf.ShowPlanFile(t.Context(), "plan")
	if err != nil {
		t.Fatal(err)
	}
	planned := map[string]bool{}
	for _, change := range plan.ResourceChanges {
		if change.Type == servermigration.ResourceType {
			planned[fmt.Sprint(change.Index)] = true
		}
	}
	if want := map[string]bool{"web-1": true, "web-2": true, "db-1": true, "batch-1": true}; !maps.Equal(planned, want) {
		t.Errorf("got migrations of %v, want %v", planned, want)
	}
}

// allArguments is a verification with all arguments, as the state has it. The write-only
// headers are not in the state, so they are not here either.
func allArguments(page *httptest.Server, address string) map[string]any {
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: page.Certificate().Raw})
	return map[string]any{
		"tcp": []any{map[string]any{"host": address, "port": stub.PortHTTP}},
		"http": []any{map[string]any{
			"url": page.URL + "/start", "status_codes": []any{201}, "body_contains": "good", "headers": map[string]any{"X-Canary": "yes"},
			"tls_server_name": "example.com", "ca_certificate": string(certificate), "follow_redirects": true,
		}},
		"ssh_banner": []any{map[string]any{"host": address, "port": stub.PortSSH}},
		"interval":   "100ms", "timeout": passesWithin, "check_timeout": "5s", "successes": 2,
		"preflight": false, "preflight_timeout": "1m", "on_failure": "keep",
	}
}

func TestAccModule_passesEverythingThatAVerificationHas(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	const secret = "Bearer 5ecret"
	page := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != secret || r.Header.Get("X-Canary") != "yes":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/start":
			http.Redirect(w, r, "/end", http.StatusFound)
		default:
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintln(w, "all is good")
		}
	}))
	defer page.Close()
	other, _ := s.Server(stub.SampleDB1)
	given := allArguments(page, other.AccessIPv4)
	tf := newRollingModule(t, s)
	variables := asJSON(t, map[string]any{
		"canaries": map[string]any{"web-1": stub.SampleWeb1}, "waves": []any{map[string]any{"web-2": stub.SampleWeb2}},
		"verification": given, "verifications": map[string]any{"web-2": given},
		"headers_wo": map[string]any{page.URL + "/start": map[string]any{"Authorization": secret}},
	})
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "fleet.auto.tfvars.json"), []byte(variables), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(readFile(t, filepath.Join(tf.WorkingDir(), "terraform.tfstate")), secret) {
		t.Error("the state has the secret header")
	}
	state, err := tf.Show(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var resources resource.SchemaResponse
	servermigration.NewResource().Schema(t.Context(), resource.SchemaRequest{}, &resources)
	arguments := resources.Schema.Attributes["verification"].(schema.SingleNestedAttribute).Attributes
	for _, migration := range state.Values.RootModule.Resources {
		if migration.Type != servermigration.ResourceType {
			continue
		}
		if migration.AttributeValues["status"] != "confirmed" {
			t.Errorf("got the status %v of %s, want confirmed", migration.AttributeValues["status"], migration.Address)
		}
		wantAllArguments(t, migration.Address, arguments, given, migration.AttributeValues["verification"].(map[string]any))
	}
	s.wantMigrated(t, stub.SampleWeb1, stub.SampleWeb2)
}

// wantAllArguments checks that the test sets each argument, and that the state has its value.
func wantAllArguments(t *testing.T, at string, arguments map[string]schema.Attribute, given, arrived map[string]any) {
	t.Helper()
	for name, argument := range arguments {
		if argument.IsWriteOnly() { // it is not in the state; the page checks that the request had it
			continue
		}
		want, isGiven := given[name]
		if !isGiven {
			t.Errorf("got no value of %s.%s in this test, want one", at, name)
			continue
		}
		if checks, ok := argument.(schema.ListNestedAttribute); ok {
			arrived, _ := arrived[name].([]any)
			if len(arrived) != 1 {
				t.Fatalf("got %v as %s.%s, want one check", arrived, at, name)
			}
			wantAllArguments(t, at+"."+name, checks.NestedObject.Attributes, want.([]any)[0].(map[string]any), arrived[0].(map[string]any))
			continue
		}
		if got, want := asJSON(t, arrived[name]), asJSON(t, want); got != want {
			t.Errorf("got %s as %s.%s, want %s", got, at, name, want)
		}
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantMigrated checks that these servers and no others were asked to migrate.
func (s *cloudTest) wantMigrated(t *testing.T, ids ...string) {
	t.Helper()
	asked := map[string]bool{}
	for _, request := range s.Requests() {
		if request.Call == stub.CallMigrate {
			asked[request.ServerID] = true
		}
	}
	for _, id := range ids {
		if !asked[id] {
			t.Errorf("got no migrate request of server %s, want one", id)
		}
	}
	if len(asked) != len(ids) {
		t.Errorf("got migrate requests of %d servers, want %d", len(asked), len(ids))
	}
}
