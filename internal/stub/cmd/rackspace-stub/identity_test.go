//go:build linux

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun_setsTheVariablesOfTheChosenIdentityAPI(t *testing.T) {
	t.Setenv("RACKSPACE_API_KEY", "real")
	t.Setenv("OS_CLOUD", "real")
	tests := []struct {
		args []string
		want []string
	}{
		{nil, []string{
			"RACKSPACE_API_KEY=stub-api-key", "RACKSPACE_IDENTITY_ENDPOINT=http://127.0.0.1:PORT/v2.0/", "RACKSPACE_REGION=ORD",
			"RACKSPACE_USERNAME=demo", "TF_VAR_ssh_port=2222",
		}},
		{[]string{"-identity", "v3"}, []string{
			"OS_AUTH_URL=http://127.0.0.1:PORT/v3", "OS_IDENTITY_API_VERSION=3", "OS_PASSWORD=stub-password", "OS_PROJECT_DOMAIN_NAME=Default",
			"OS_PROJECT_NAME=demo-project", "OS_REGION_NAME=ORD", "OS_USERNAME=demo", "OS_USER_DOMAIN_NAME=Default", "TF_VAR_ssh_port=2222",
		}},
	}
	port := regexp.MustCompile(`(127\.0\.0\.1):\d+`)
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			_, stdout, stderr := invoke(t, append(test.args, "--", "env")...)
			var got []string
			for _, line := range strings.Split(stdout, "\n") {
				if regexp.MustCompile(`^(RACKSPACE_|OS_|TF_VAR_ssh_port=)`).MatchString(line) {
					got = append(got, port.ReplaceAllString(line, "$1:PORT"))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("variables (-want +got):\n%s\n%s", diff, stderr)
			}
		})
	}
}
