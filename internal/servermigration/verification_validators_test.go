package servermigration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestServerMigration_pointsAtTheArgumentOfAVerification(t *testing.T) {
	tcp := []any{object{"port": 22}}
	at := tftypes.NewAttributePath().WithAttributeName("verification")
	tests := []struct {
		name         string
		verification object
		path         *tftypes.AttributePath // of the wrong argument
		shown        string                 // the argument of verification whose line Terraform shows; empty: verification itself
		text         string                 // a text of the error
	}{
		{
			"a port", object{"tcp": []any{object{"port": 22}, object{"port": 0}}},
			at.WithAttributeName("tcp").WithElementKeyInt(1).WithAttributeName("port"), "tcp", "verification.tcp[1].port must be a port",
		},
		{
			"a port of SSH", object{"ssh_banner": []any{object{"port": 70000}}},
			at.WithAttributeName("ssh_banner").WithElementKeyInt(0).WithAttributeName("port"), "ssh_banner", "verification.ssh_banner[0].port must be a port",
		},
		{
			"a URL", object{"http": []any{object{"url": "nonsense"}}},
			at.WithAttributeName("http").WithElementKeyInt(0).WithAttributeName("url"), "http", "verification.http[0].url must be an http or https URL",
		},
		{
			"a status code", object{"http": []any{object{"url": "http://a", "status_codes": []any{200, 99}}}},
			at.WithAttributeName("http").WithElementKeyInt(0).WithAttributeName("status_codes").WithElementKeyInt(1), "http", "status_codes[1] must be an HTTP status code",
		},
		{
			"a certificate", object{"http": []any{object{"url": "http://a", "ca_certificate": "none"}}},
			at.WithAttributeName("http").WithElementKeyInt(0).WithAttributeName("ca_certificate"), "http", "ca_certificate must be a certificate",
		},
		{
			"an empty host", object{"tcp": []any{object{"port": 22, "host": ""}}},
			at.WithAttributeName("tcp").WithElementKeyInt(0).WithAttributeName("host"), "tcp", "verification.tcp[0].host string length must be at least 1",
		},
		{"an empty list", object{"tcp": tcp, "http": []any{}}, at.WithAttributeName("http"), "http", "verification.http list must contain at least 1"},
		{"an empty list alone", object{"tcp": []any{}}, at.WithAttributeName("tcp"), "tcp", "verification.tcp list must contain at least 1"},
		{"an interval", object{"tcp": tcp, "interval": "0s"}, at.WithAttributeName("interval"), "interval", "verification.interval must be at least 10ms"},
		{"an interval without a unit", object{"tcp": tcp, "interval": "10"}, at.WithAttributeName("interval"), "interval", `verification.interval must be a duration such as "10s" or "1m30s", not "10". It lacks a unit`},
		{"a timeout", object{"tcp": tcp, "timeout": "-1m"}, at.WithAttributeName("timeout"), "timeout", "verification.timeout must be greater than 0"},
		{"successes", object{"tcp": tcp, "successes": 0}, at.WithAttributeName("successes"), "successes", "verification.successes must be at least 1"},
		{"a choice", object{"tcp": tcp, "on_failure": "panic"}, at.WithAttributeName("on_failure"), "on_failure", "verification.on_failure value must be one of"},
		{"no check", object{"successes": 1}, at, "", "The argument verification has no check"},
	}
	for _, test := range tests {
		for _, unknown := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, another argument unknown: %t", test.name, unknown), func(t *testing.T) {
				config := migrationOf(object{"verification": test.verification})
				if unknown {
					config["triggers"], test.verification["timeout"] = object{"n": tftypes.UnknownValue}, orUnknown(test.verification["timeout"])
				}
				got := validate(t, config)
				if len(got) != 1 || !strings.Contains(got[0].Detail, test.text) {
					t.Fatalf("got %q, want one error with %q", got, test.text)
				}
				want := test.path
				if test.shown != "" {
					want = want.WithAttributeName("verification").WithElementKeyString(test.shown)
				}
				if !got[0].Attribute.Equal(want) {
					t.Errorf("got an error at %s, want %s", got[0].Attribute, want)
				}
			})
		}
	}
}

// validate validates a configuration, and returns the diagnostics.
func validate(t *testing.T, config object) acctest.Diagnostics {
	t.Helper()
	return acctest.NewVirtualSession(t, stub.New(stub.Config{}), cloudservers.Config{}, migration.Limits{}).Validate(servermigration.ResourceType, config)
}

func TestServerMigration_validatesTimeoutsLikeOtherDurations(t *testing.T) {
	for value, want := range map[string]string{
		"10":  `The argument timeouts.create must be a duration such as "10s" or "1m30s", not "10". It lacks a unit`,
		"-5m": `The argument timeouts.create must be greater than 0, not "-5m".`,
		"5m":  "",
	} {
		got := validate(t, migrationOf(object{"timeouts": object{"create": value}})).Errors()
		if !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}

// orUnknown returns a value or, if there is none, an unknown value.
func orUnknown(value any) any {
	if value == nil {
		return tftypes.UnknownValue
	}
	return value
}

func TestServerMigration_acceptsAVerificationThatIsNotKnownYet(t *testing.T) {
	got := validate(t, migrationOf(object{"verification": object{
		"tcp":      []any{object{"port": tftypes.UnknownValue}},
		"http":     []any{object{"url": tftypes.UnknownValue, "status_codes": []any{tftypes.UnknownValue}, "ca_certificate": tftypes.UnknownValue}},
		"interval": tftypes.UnknownValue, "timeout": tftypes.UnknownValue, "successes": tftypes.UnknownValue, "on_failure": tftypes.UnknownValue,
	}}))
	if len(got) > 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

// wrongVerification has each argument on one line, because not every version of Terraform
// finds a line within an argument.
const wrongVerification = `
  verification = {
    tcp        = [{ port = 22 }, { port = 0 }]
    http       = [{ url = "nonsense", body_contains = terraform_data.unknown.id }]
    ssh_banner = []
    interval   = "10"
    timeout    = "0s"
    on_failure = "panic"
  }`

func TestAccServerMigration_showsTheLineOfAWrongArgumentOfAVerification(t *testing.T) {
	t.Parallel()
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	config := requiredProviders + s.config(wrongVerification) + "resource \"terraform_data\" \"unknown\" {}\n"
	tf := s.terraform(map[string]string{"main.tf": config})
	found, err := tf.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(tf.WorkingDir(), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	shown := map[string]string{} // lines of the configuration, by the text of the error
	for _, d := range found.Diagnostics {
		if d.Range == nil {
			t.Fatalf("got the error %q without a line, want one", d.Detail)
		}
		shown[d.Detail] = strings.TrimSpace(lines[d.Range.Start.Line-1])
	}
	for argument, line := range map[string]string{
		"verification.tcp[1].port": "tcp ",
		"verification.http[0].url": "http ",
		"verification.ssh_banner":  "ssh_banner ",
		"verification.interval":    "interval ",
		"verification.timeout":     "timeout ",
		"verification.on_failure":  "on_failure ",
	} {
		matched := false
		for detail, got := range shown {
			if strings.Contains(detail, argument+" ") {
				if matched = strings.HasPrefix(got, line); !matched {
					t.Errorf("%s: got the line %q, want the line of %s", argument, got, line)
				}
			}
		}
		if !matched {
			t.Errorf("got the errors %q, want one about %s at its line", shown, argument)
		}
	}
	if len(shown) != 6 {
		t.Errorf("got %d errors, want 6: %q", len(shown), shown)
	}
}
