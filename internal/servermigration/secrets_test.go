package servermigration_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestAccServerMigration_keepsSecretsOutOfLogsOutputPlanAndState(t *testing.T) {
	t.Parallel()
	s, ports := newCloudTestWithPorts(t, nil)
	s.wantNoSecrets(t, ports, "", map[string]string{"API key": stub.DefaultUser.APIKey})
}

func TestAccServerMigration_keepsSecretsOfKeystoneOutOfLogsOutputPlanAndState(t *testing.T) {
	t.Parallel()
	s, ports := newCloudTestWithPorts(t, nil)
	s.wantNoSecrets(t, ports, s.keystoneProvider(fmt.Sprintf("region = \"ORD\"\n  application_credential_id = %q\n  application_credential_secret = file(\"secret.txt\")", stub.DefaultUser.Credential.ID)), map[string]string{"application credential": stub.DefaultUser.Credential.Secret})
}

// wantNoSecrets migrates a server with a provider block, and checks that no output, log, plan
// or state of Terraform has one of the secrets.
func (s *cloudTest) wantNoSecrets(t *testing.T, ports *stub.Ports, block string, secrets map[string]string) {
	t.Helper()
	// These faults add a renewal of the token and a failed request to the log.
	s.Inject(stub.Fault{Call: stub.CallServer, Skip: 2, Count: 1, Status: 401})
	s.Inject(stub.Fault{Call: stub.CallServer, Skip: 2, Count: 1, Status: 500})
	tf := s.UnattachedTerraform(t, map[string]string{"secret.auto.tfvars": "secret = \"secret-of-nobody\"\n", "secret.txt": stub.DefaultUser.Credential.Secret, "main.tf": requiredProviders + block + "variable \"secret\" {\n  ephemeral = true\n}\n" + migrationBlock(autoConfirm+fmt.Sprintf(`
  verification = {
    http = [{
      url        = "http://:%d/?key=secret-of-the-query"
      headers    = { X-Key = "secret-of-the-state" }
      headers_wo = { Authorization = var.secret }
    }]
    interval = "50ms"
  }`, ports.Number(server, stub.PortHTTP)))})
	var output bytes.Buffer
	tf.SetStdout(&output)
	tf.SetStderr(&output)
	for _, set := range []func() error{
		func() error { return tf.SetLogPath(filepath.Join(tf.WorkingDir(), "trace.log")) },
		func() error { return tf.SetLog("TRACE") },
		func() error { return tf.Apply(t.Context()) },
		func() error {
			_, err := tf.Plan(t.Context(), tfexec.Out("plan"), tfexec.Destroy(true))
			return err
		},
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	secrets["write-only header"] = "secret-of-nobody"
	for _, request := range s.Requests() {
		if token := request.Header.Get("X-Auth-Token"); token != "" {
			secrets["token …"+token[len(token)-4:]] = token
		}
	}
	if len(secrets) < 4 {
		t.Fatalf("got %d secrets, want that of the credentials, the header and several tokens", len(secrets))
	}
	texts := map[string][]byte{"output": output.Bytes()}
	for _, name := range []string{"trace.log", "terraform.tfstate"} {
		text, err := os.ReadFile(filepath.Join(tf.WorkingDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	plan, err := zip.OpenReader(filepath.Join(tf.WorkingDir(), "plan"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plan.Close() }()
	for _, part := range plan.File {
		text, err := fs.ReadFile(plan, part.Name)
		if err != nil {
			t.Fatal(err)
		}
		texts["plan's "+part.Name] = text
	}
	for _, want := range []string{"Cloud Servers request:", "pace_wait=", "Cloud Servers requests of this process", "migration accepted, request req-", "web-1: confirmed after "} {
		if !bytes.Contains(texts["trace.log"], []byte(want)) {
			t.Errorf("got a log without %q, want a complete log", want)
		}
	}
	// The plan and the state keep this header, and plans show this URL. So each of the two is
	// only looked for where it must not be.
	for where, configured := range map[string]string{"output": "secret-of-the-state", "trace.log": "secret-of-the-query"} {
		if bytes.Contains(texts[where], []byte(configured)) {
			t.Errorf("got %s in the %s, want it hidden", configured, where)
		}
	}
	for where, text := range texts {
		for what, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("got the %s in the %s, want it hidden", what, where)
			}
		}
	}
}
