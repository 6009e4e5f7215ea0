package servermigration_test

import (
	"os"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	acctest.RemoveMirror()
	os.Exit(status)
}
