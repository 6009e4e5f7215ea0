package servermigration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

var update = flag.Bool("update", false, "write testdata/messages.golden")

// sample is the migration that the messages are about.
var sample = migration.Migration{
	Region: "ORD", ServerID: "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01", ServerName: "web-1",
	RequestID: "req-8d2b1c04-0001-4b6a-9c11-2a8e0f6d4b01", Status: migration.StatusAwaiting, ServerStatus: cloudservers.StatusVerifyResize,
	SourceHostID: "aaaa", DestinationHostID: "bbbb", RequestedAt: time.Date(2026, 11, 23, 9, 19, 37, 0, time.UTC), ConfirmWindow: migration.ConfirmationWindow,
}

func settledSample(status migration.Status, by string) migration.Migration {
	m := sample
	m.Status, m.SettledAt, m.SettledBy, m.Automatic = status, m.RequestedAt.Add(2*time.Hour), by, by == "" && status == migration.StatusConfirmed
	return m
}

func sampleServer(status, task string) *cloudservers.Server {
	return &cloudservers.Server{ID: sample.ServerID, Name: sample.ServerName, Status: status, TaskState: task}
}

// failedTest is the result of a verification in which two of three checks failed.
func failedTest() *verification.Result {
	return &verification.Result{CheckedAt: sample.RequestedAt.Add(5 * time.Minute), Checks: []verification.Check{
		{Name: "tcp[0]", Target: "192.0.2.11:443", Attempts: 60, LastError: "the connection was refused"},
		{Name: "http[0]", Target: "https://app.example.com/healthz", Attempts: 58, LastError: "it answered with status 503"},
		{Name: "ssh_banner[0]", Target: "192.0.2.11:22", Attempts: 3, Passed: true},
	}}
}

// unverifiedSample is a migration whose server did not pass its verification.
func unverifiedSample(status migration.Status) migration.Migration {
	m := sample
	if m.Status = status; status.Settled() {
		m = settledSample(status, "user-7")
	}
	m.VerificationResult = failedTest()
	return m
}

// plannedWith is a plan whose verification has this on_failure. Without one, the plan has
// no verification.
func plannedWith(autoConfirm bool, onFailure string) *model {
	plan := &model{AutoConfirm: types.BoolValue(autoConfirm)}
	if onFailure != "" {
		plan.Verification = types.ObjectValueMust(map[string]attr.Type{"on_failure": types.StringType}, map[string]attr.Value{"on_failure": types.StringValue(onFailure)})
	}
	return plan
}

// unknownAutoConfirm is such a plan, whose auto_confirm is not known until the apply.
func unknownAutoConfirm(onFailure string) *model {
	plan := plannedWith(false, onFailure)
	plan.AutoConfirm = types.BoolUnknown()
	return plan
}

// revertedMove is a migration that began at an hour of the day, and was reverted an hour
// later.
func revertedMove(hour int) migration.Move {
	at := time.Date(2026, 11, 23, hour, 0, 0, 0, time.UTC)
	return migration.Move{RequestID: fmt.Sprintf("req-%d", hour), UserID: "user-1", Started: at, Outcome: migration.OutcomeReverted, SettledAt: at.Add(time.Hour)}
}

// message is one diagnostic that the provider can give.
type message struct {
	name  string
	diags diag.Diagnostics
}

// messages are all diagnostics of the resource. A failed call has one for each status
// code, and one for each way in which no answer comes.
func messages() []message {
	const url = "https://ord.servers.api.rackspacecloud.com/v2/123456/servers/5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
	answered := func(status int, fault, text string) *cloudservers.Error {
		return &cloudservers.Error{
			Op: "migrate the server", Method: http.MethodPost, URL: url + "/action",
			StatusCode: status, Fault: fault, Message: text, RequestID: "req-5a000000-0000-4000-8000-000000000001",
		}
	}
	unanswered := func(err error) *cloudservers.Error {
		return &cloudservers.Error{Op: "read the server", Method: http.MethodGet, URL: url, Err: err}
	}
	fails := func(name string, kind migration.Kind, op operation, change func(*migration.Error)) message {
		failure := &migration.Error{Kind: kind, Migration: sample}
		change(failure)
		return message{name, explain(failure, op)}
	}
	refused := func(name string, err *cloudservers.Error) message {
		return fails("migrate refused: "+name, migration.KindRefused, creating, func(e *migration.Error) {
			e.Err, e.Server = err, sampleServer(cloudservers.StatusActive, "")
		})
	}
	unread := func(name string, err error) message {
		return fails("read failed: "+name, migration.KindAPI, creating, func(e *migration.Error) { e.Err = unanswered(err) })
	}
	renewable := answered(401, "unauthorized", "Unable to authenticate user with credentials provided.")
	renewable.Credentials = &cloudservers.Credentials{Username: "demo", APIKey: "secret", Origin: "username from the provider block and api_key from the environment variable RACKSPACE_API_KEY"}
	fixed := answered(401, "unauthorized", "This server could not verify that you are authorized to access the document you requested.")
	keystone := &cloudservers.Credentials{
		Keystone: &gophercloud.AuthOptions{Username: "demo", Password: "secret"},
		Origin:   "username from the entry \"flex\" of clouds.yaml and password from the entry \"flex\" of clouds.yaml",
	}
	fixed.Credentials = &cloudservers.Credentials{Token: "secret", TenantID: "123456", Origin: "token from the environment variable RACKSPACE_TOKEN"}
	pending := func(resize bool, user string) *migration.Move {
		return &migration.Move{RequestID: "req-77000000-0000-4000-8000-000000000007", UserID: user, Resize: resize, Started: sample.RequestedAt}
	}
	// unauthenticated is about a failed token request. The address of the Identity API comes
	// from an environment variable.
	unauthenticated := func(name string, change func(*cloudservers.Error)) message {
		failure := failedTokenRequest(change)
		return fails("authentication failed: "+name, migration.KindAPI, creating, func(e *migration.Error) { e.Err, e.Migration.Region = failure, "" })
	}
	server := func(status, task string) func(*migration.Error) {
		return func(e *migration.Error) { e.Server = sampleServer(status, task) }
	}
	all := []message{
		fails("unknown server", migration.KindNotFound, creating, func(e *migration.Error) {
			e.Err, e.Migration.ServerName = answered(404, "itemNotFound", "Instance could not be found."), ""
		}),
		fails("OnMetal", migration.KindOnMetal, creating, server(cloudservers.StatusActive, "")),
		fails("status", migration.KindStatus, creating, server(cloudservers.StatusError, "")),
		fails("status, deleting", migration.KindStatus, creating, server(cloudservers.StatusActive, "deleting")),
		fails("status, after a request", migration.KindStatus, creating, func(e *migration.Error) {
			e.Server, e.Sent = sampleServer(cloudservers.StatusError, ""), true
		}),
		fails("busy, timed out", migration.KindBusy, creating, func(e *migration.Error) {
			e.Err, e.Server = context.DeadlineExceeded, sampleServer(cloudservers.StatusActive, "image_snapshot")
		}),
		fails("pending, somebody's migration", migration.KindPending, creating, func(e *migration.Error) {
			e.Pending, e.Server = pending(false, "user-7"), sampleServer(cloudservers.StatusVerifyResize, "")
		}),
		fails("pending, a resize", migration.KindPending, creating, func(e *migration.Error) {
			e.Pending, e.Server = pending(true, "user-7"), sampleServer(cloudservers.StatusVerifyResize, "")
		}),
		fails("pending, migration or resize", migration.KindPending, creating, server(cloudservers.StatusResize, "resize_prep")),
		fails("pending, log unreadable", migration.KindPending, creating, func(e *migration.Error) {
			e.Err, e.Server = answered(403, "forbidden", "Policy doesn't allow os_compute_api:os-instance-actions to be performed."), sampleServer(cloudservers.StatusVerifyResize, "")
		}),
		fails("pending, being reverted", migration.KindPending, creating, func(e *migration.Error) {
			e.Pending, e.Server = pending(false, "user-1"), sampleServer(cloudservers.StatusRevertResize, "resize_reverting")
		}),
		fails("two resources for one server", migration.KindClaimed, creating, func(e *migration.Error) { e.Migration.ServerName = "" }),
		fails("cancelled while it waited for its turn", migration.KindTurn, creating, func(e *migration.Error) { e.Err, e.Migration.ServerName = context.Canceled, "" }),
		fails("not started after a failure", migration.KindStopped, creating, func(e *migration.Error) {
			e.Migration.ServerName, e.Failures = "", []*migration.Error{{Kind: migration.KindFailed, Migration: sample, Server: sampleServer(cloudservers.StatusActive, "")}}
		}),
		fails("not known whether migrated, log unreadable", migration.KindUntold, creating, func(e *migration.Error) {
			e.Err, e.Server = answered(403, "forbidden", "Policy doesn't allow os_compute_api:os-instance-actions to be performed."), sampleServer(cloudservers.StatusActive, "")
		}),
		fails("not known whether migrated, end missing", migration.KindUntold, creating, func(e *migration.Error) {
			e.Pending, e.Server = pending(false, "user-1"), sampleServer(cloudservers.StatusActive, "")
		}),
		refused("400", answered(400, "badRequest", "Malformed request body")),
		refused("401, key", renewable),
		refused("401, token", fixed),
		refused("403", answered(403, "forbidden", "Policy doesn't allow migrate to be performed.")),
		refused("403, resizeNotAllowed", answered(403, "resizeNotAllowed", "Resize not allowed for this server.")),
		refused("404", answered(404, "itemNotFound", "Instance could not be found.")),
		refused("405", answered(405, "badMethod", "The method is not allowed for this resource.")),
		refused("409", answered(409, "conflictingRequest", "Instance 5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01 is locked")),
		refused("413", answered(413, "overLimit", "OverLimit Retry...")),
		refused("429", answered(429, "overLimit", "OverLimit Retry...")),
		refused("500", answered(500, "computeFault", "Unexpected API Error.")),
		refused("502, a proxy's page", answered(502, "", "")),
		refused("503", answered(503, "serviceUnavailable", "Service is unavailable.")),
		refused("504, a proxy's page", answered(504, "", "")),
		unread("connection refused", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}),
		unread("connection reset", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}),
		unread("timeout", context.DeadlineExceeded),
		unread("name not resolved", &net.DNSError{Err: "no such host", Name: "ord.servers.api.rackspacecloud.com", IsNotFound: true}),
		unauthenticated("no Identity API", func(e *cloudservers.Error) { e.StatusCode = 404 }),
		unauthenticated("no Identity API at the default address", func(e *cloudservers.Error) { e.StatusCode, e.IdentityOrigin = 405, "" }),
		unauthenticated("a redirect", func(e *cloudservers.Error) { e.StatusCode = 302 }),
		unauthenticated("400", func(e *cloudservers.Error) {
			e.StatusCode, e.Fault, e.Message = 400, "badRequest", "Invalid json request body"
		}),
		unauthenticated("401", func(e *cloudservers.Error) {
			e.StatusCode, e.Fault, e.Message, e.Credentials = 401, "unauthorized", "Unable to authenticate user with credentials provided.", renewable.Credentials
		}),
		unauthenticated("401 of Keystone", func(e *cloudservers.Error) {
			e.StatusCode, e.Fault, e.Message = 401, "Unauthorized", "The request you have made requires authentication."
			e.URL, e.IdentityVersion, e.Credentials = "https://identity.example.com/v3/auth/tokens", cloudservers.IdentityV3, keystone
		}),
		unauthenticated("no Keystone", func(e *cloudservers.Error) {
			e.StatusCode, e.URL, e.IdentityVersion = 404, "https://identity.example.com/v3/auth/tokens", cloudservers.IdentityV3
		}),
		unauthenticated("403", func(e *cloudservers.Error) {
			e.StatusCode, e.Fault, e.Message = 403, "userDisabled", "User demo is disabled."
		}),
		unauthenticated("429", func(e *cloudservers.Error) { e.StatusCode, e.Fault, e.Message = 429, "overLimit", "OverLimit Retry..." }),
		unauthenticated("503, a proxy's page", func(e *cloudservers.Error) { e.StatusCode = 503 }),
		unauthenticated("connection refused", func(e *cloudservers.Error) { e.Err = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }),
		unauthenticated("wait for another caller timed out", func(e *cloudservers.Error) { e.Method, e.URL, e.Err = "", "", context.DeadlineExceeded }),
		fails("no region", migration.KindAPI, creating, func(e *migration.Error) {
			e.Err = &cloudservers.RegionError{Known: []string{"DFW", "ORD"}, EndpointType: gophercloud.AvailabilityPublic}
		}),
		fails("unknown region", migration.KindAPI, creating, func(e *migration.Error) {
			e.Err = &cloudservers.RegionError{Region: "XYZ", Known: []string{"DFW", "ORD"}, EndpointType: gophercloud.AvailabilityPublic}
		}),
		fails("no Cloud Servers", migration.KindAPI, creating, func(e *migration.Error) { e.Err = cloudservers.ErrNoCloudServers }),
		fails("not known whether the request was accepted", migration.KindUndecided, creating, func(e *migration.Error) { e.Err = answered(502, "", "") }),
		fails("failed silently", migration.KindFailed, creating, server(cloudservers.StatusActive, "")),
		fails("failed with a fault", migration.KindFailed, creating, func(e *migration.Error) {
			e.Server = sampleServer(cloudservers.StatusError, "")
			e.Server.Fault = &cloudservers.ServerFault{Code: 500, Message: "RuntimeError"}
		}),
		fails("failed, did not move", migration.KindFailed, creating, server(cloudservers.StatusVerifyResize, "")),
		fails("reverted meanwhile", migration.KindReverted, creating, func(e *migration.Error) { e.Migration = settledSample(migration.StatusReverted, "user-7") }),
		fails("gone", migration.KindGone, recorded, func(*migration.Error) {}),
		fails("gone, in an action", migration.KindGone, invoking, func(*migration.Error) {}),
		fails("OnMetal, in an action", migration.KindOnMetal, invoking, server(cloudservers.StatusActive, "")),
		fails("status, deleting, in an action", migration.KindStatus, invoking, server(cloudservers.StatusActive, "deleting")),
		fails("timed out, in an action", migration.KindInterrupted, invoking, func(e *migration.Error) { e.Err = context.DeadlineExceeded }),
		fails("timed out at a destroy", migration.KindInterrupted, destroying, func(e *migration.Error) { e.Err = context.DeadlineExceeded }),
		fails("timed out before migrating again", migration.KindInterrupted, again, func(e *migration.Error) { e.Err = context.DeadlineExceeded }),
		fails("cancelled", migration.KindInterrupted, creating, func(e *migration.Error) {
			e.Err, e.Server = context.Canceled, sampleServer(cloudservers.StatusResize, "resize_migrating")
		}),
		fails("timed out", migration.KindInterrupted, creating, func(e *migration.Error) {
			e.Err, e.Server = context.DeadlineExceeded, sampleServer(cloudservers.StatusResize, "resize_migrating")
		}),
		fails("timed out, without answers", migration.KindInterrupted, recorded, func(e *migration.Error) {
			e.Err = errors.Join(context.DeadlineExceeded, unanswered(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}))
			e.Server = sampleServer(cloudservers.StatusResize, "resize_migrating")
		}),
		fails("poll refused", migration.KindWait, creating, func(e *migration.Error) { e.Err = answered(403, "forbidden", "Policy doesn't allow it.") }),
		fails("verification cancelled", migration.KindTesting, creating, func(e *migration.Error) { e.Err, e.Migration.VerificationResult = context.Canceled, failedTest() }),
		fails("verification timed out", migration.KindTesting, recorded, func(e *migration.Error) {
			e.Err, e.Migration.VerificationResult = context.DeadlineExceeded, failedTest()
		}),
		fails("verification failed, kept", migration.KindUnverified, creating, func(e *migration.Error) {
			e.Migration.VerificationResult, e.Server = failedTest(), sampleServer(cloudservers.StatusVerifyResize, "")
			e.Server.SeenAt = sample.RequestedAt.Add(5 * time.Minute)
		}),
		fails("verification failed, rolled back", migration.KindRolledBack, creating, func(e *migration.Error) {
			e.Migration = settledSample(migration.StatusReverted, "user-1")
			e.Migration.VerificationResult = failedTest()
		}),
		fails("verification failed at an update, rolled back", migration.KindRolledBack, recorded, func(e *migration.Error) {
			e.Migration = settledSample(migration.StatusReverted, "user-1")
			e.Migration.VerificationResult = failedTest()
		}),
		fails("verification failed, revert refused", migration.KindUnsettled, creating, func(e *migration.Error) {
			e.Want, e.Err, e.Migration.VerificationResult = migration.StatusReverted, answered(403, "forbidden", "Policy doesn't allow revertResize to be performed."), failedTest()
		}),
		fails("confirm refused", migration.KindUnsettled, recorded, func(e *migration.Error) {
			e.Want, e.Err = migration.StatusConfirmed, answered(403, "forbidden", "Policy doesn't allow confirmResize to be performed.")
		}),
		fails("revert refused", migration.KindUnsettled, recorded, func(e *migration.Error) {
			e.Want, e.Err, e.Server = migration.StatusReverted, answered(409, "conflictingRequest", "Instance is locked"), sampleServer(cloudservers.StatusVerifyResize, "")
		}),
		fails("confirm accepted, end not seen", migration.KindSettling, recorded, func(e *migration.Error) { e.Want, e.Err = migration.StatusConfirmed, context.Canceled }),
		fails("confirm perhaps accepted", migration.KindSettling, recorded, func(e *migration.Error) {
			e.Want, e.Unsure, e.Err = migration.StatusConfirmed, true, context.DeadlineExceeded
		}),
		fails("revert accepted, end not seen", migration.KindSettling, recorded, func(e *migration.Error) { e.Want, e.Err = migration.StatusReverted, context.Canceled }),
		fails("revert accepted in a create, end not seen", migration.KindSettling, creating, func(e *migration.Error) { e.Want, e.Err = migration.StatusReverted, context.Canceled }),
		fails("confirm accepted in a destroy, end not seen", migration.KindSettling, destroying, func(e *migration.Error) { e.Want, e.Err = migration.StatusConfirmed, context.Canceled }),
		fails("confirm unproven", migration.KindUnproven, recorded, func(e *migration.Error) {
			e.Want, e.Err = migration.StatusConfirmed, answered(403, "forbidden", "Policy doesn't allow os_compute_api:os-instance-actions to be performed.")
		}),
		fails("confirm unproven, sent before", migration.KindUnproven, recorded, func(e *migration.Error) {
			e.Want, e.Sent = migration.StatusConfirmed, true
		}),
		fails("revert unproven", migration.KindUnproven, recorded, func(e *migration.Error) { e.Want = migration.StatusReverted }),
		fails("reverted, found by a confirmation", migration.KindReverted, recorded, func(e *migration.Error) { e.Migration = settledSample(migration.StatusReverted, "user-7") }),
		fails("reverted, found before migrating again", migration.KindReverted, again, func(e *migration.Error) { e.Migration = settledSample(migration.StatusReverted, "user-7") }),
		fails("reverted before the destroy could confirm", migration.KindReverted, destroying, func(e *migration.Error) { e.Migration = settledSample(migration.StatusReverted, "user-7") }),
		fails("confirmed before the destroy could revert", migration.KindConfirmed, destroying, func(e *migration.Error) { e.Migration = settledSample(migration.StatusConfirmed, "") }),
		fails("server gone at destroy", migration.KindGone, destroying, func(*migration.Error) {}),
		fails("end unknown, in a create", migration.KindUnknownEnd, creating, server(cloudservers.StatusActive, "")),
		fails("end unknown", migration.KindUnknownEnd, recorded, server(cloudservers.StatusActive, "")),
		fails("end unknown, at destroy", migration.KindUnknownEnd, destroying, server(cloudservers.StatusActive, "")),
		fails("verification failed, in an action", migration.KindUnverified, invoking, func(e *migration.Error) { e.Migration.VerificationResult = failedTest() }),
		fails("cancelled, in an action", migration.KindInterrupted, invoking, func(e *migration.Error) { e.Err = context.Canceled }),
		fails("confirm accepted, end not seen, in an action", migration.KindSettling, invoking, func(e *migration.Error) { e.Want, e.Err = migration.StatusConfirmed, context.Canceled }),
		fails("end unknown, in an action", migration.KindUnknownEnd, invoking, server(cloudservers.StatusActive, "")),
		fails("never migrated, in an action", migration.KindNeverMigrated, invoking, func(e *migration.Error) { e.Migration.RequestID = "" }),
		fails("no such migration, in an action", migration.KindNeverMigrated, invoking, func(*migration.Error) {}),
		fails("reverted, in an action", migration.KindReverted, invoking, func(*migration.Error) {}),
		fails("preflight failed", migration.KindPreflight, creating, func(e *migration.Error) { e.Migration.VerificationResult = failedTest() }),
		fails("preflight of a server that is shut off", migration.KindPreflight, creating, func(*migration.Error) {}),
		fails("preflight cancelled", migration.KindPreflight, creating, func(e *migration.Error) { e.Err = context.Canceled }),
		fails("preflight timed out", migration.KindPreflight, creating, func(e *migration.Error) { e.Err = context.DeadlineExceeded }),
		fails("verification failed at a destroy", migration.KindUnverified, destroying, func(e *migration.Error) { e.Migration.VerificationResult = failedTest() }),
		fails("verification failed before migrating again", migration.KindUnverified, again, func(e *migration.Error) { e.Migration.VerificationResult = failedTest() }),
		fails("verification failed at an update", migration.KindUnverified, recorded, func(e *migration.Error) { e.Migration.VerificationResult = failedTest() }),
		fails("failed, migrated again", migration.KindFailed, recorded, func(e *migration.Error) {
			e.Server = sampleServer(cloudservers.StatusError, "")
			e.Server.HostID = "bbbb"
		}),
		fails("failed on its original host", migration.KindFailed, creating, func(e *migration.Error) {
			e.Server = sampleServer(cloudservers.StatusActive, "")
			e.Server.HostID = "aaaa"
		}),
		fails("refused to migrate again", migration.KindRefused, again, func(e *migration.Error) {
			e.Err, e.Server = answered(403, "forbidden", "Policy doesn't allow migrate to be performed."), sampleServer(cloudservers.StatusActive, "")
		}),
		fails("confirm accepted before migrating again, end not seen", migration.KindSettling, again, func(e *migration.Error) { e.Want, e.Err = migration.StatusConfirmed, context.Canceled }),
		fails("not tested, log unreadable", migration.KindUntested, recorded, func(e *migration.Error) {
			e.Migration.Status, e.Err = migration.StatusConfirmed, answered(403, "forbidden", "Policy doesn't allow os_compute_api:os-instance-actions to be performed.")
		}),
		fails("not tested after a confirm by others", migration.KindUntested, creating, func(e *migration.Error) {
			e.Migration.Status, e.Migration.SettledBy = migration.StatusConfirmed, "user-7"
		}),
		fails("verification failed after a confirm by others", migration.KindUnverified, creating, func(e *migration.Error) {
			e.Migration = settledSample(migration.StatusConfirmed, "user-7")
			e.Migration.VerificationResult = failedTest()
		}),
		fails("verification failed after a confirm by others, at an update", migration.KindUnverified, recorded, func(e *migration.Error) {
			e.Migration = settledSample(migration.StatusConfirmed, "")
			e.Migration.VerificationResult = failedTest()
		}),
		fails("verification cancelled after a confirm by others", migration.KindTesting, creating, func(e *migration.Error) {
			e.Err, e.Migration = context.Canceled, settledSample(migration.StatusConfirmed, "user-7")
		}),
		fails("confirmed before the revert", migration.KindConfirmed, recorded, func(e *migration.Error) { e.Migration = settledSample(migration.StatusConfirmed, "user-7") }),
		fails("never migrated", migration.KindNeverMigrated, creating, func(e *migration.Error) { e.Migration.RequestID = "" }),
		fails("no such migration", migration.KindNeverMigrated, recorded, func(*migration.Error) {}),
		{"defect", explain(errors.New("something"), recorded)},
	}
	return append(all, warningsAndPlanErrors()...)
}

// failedTokenRequest is the error of a token request.
func failedTokenRequest(change func(*cloudservers.Error)) *cloudservers.Error {
	err := &cloudservers.Error{
		Op: "get a token", Method: http.MethodPost, URL: "https://identity.example.com/v2.0/tokens",
		IdentityVersion: cloudservers.IdentityV2,
		IdentityOrigin:  "the environment variable OS_AUTH_URL, which identity_endpoint in the provider block would override",
	}
	change(err)
	return err
}

// warningsAndPlanErrors are the warnings, and the errors of plans and imports.
func warningsAndPlanErrors() []message {
	adopted := sample
	adopted.Adopted = true
	takenOver := adopted
	takenOver.SourceHostID = ""
	inError := settledSample(migration.StatusConfirmed, "user-7")
	inError.ServerStatus = cloudservers.StatusError
	shutOff, verified, moving := sample, sample, sample
	moving.Status = migration.StatusMigrating
	shutOff.ServerStatus = cloudservers.StatusShutoff
	verified.VerificationResult = &verification.Result{Passed: true}
	withoutPreflight := plannedWith(true, onFailureKeep)
	withoutPreflight.Verification = types.ObjectValueMust(map[string]attr.Type{"preflight": types.BoolType}, map[string]attr.Value{"preflight": types.BoolValue(false)})
	warn := func(name string, d diag.Diagnostic) message { return message{name, diag.Diagnostics{d}} }
	return []message{
		{"awaits confirmation", announce(sample, false)},
		warn("taken over", tookOver(takenOver)),
		warn("taken over from another run", tookOver(adopted)),
		{"confirmed already", announce(settledSample(migration.StatusConfirmed, ""), false)},
		{"reverted outside", happenedOutside(settledSample(migration.StatusReverted, "user-7"))},
		{"confirmed outside, server in ERROR", happenedOutside(inError)},
		{"confirmed by the cloud", happenedOutside(settledSample(migration.StatusConfirmed, ""))},
		warn("server gone at refresh", removedWithServer(sample)),
		warn("left to another resource", leftToAnother(sample)),
		warn("no request to confirm", namesNoRequest("ORD/5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01/")),
		warn("plan: takes over", willTakeOver(adopted, plannedWith(false, ""))),
		warn("plan: destroy forgets", willDestroy(sample, string(migration.OnDestroyNone), false)),
		warn("plan: destroy confirms", willDestroy(sample, string(migration.OnDestroyConfirm), false)),
		warn("plan: destroy tests and confirms", willDestroy(sample, string(migration.OnDestroyConfirm), true)),
		warn("plan: destroy reverts", willDestroy(sample, string(migration.OnDestroyRevert), true)),
		warn("plan: cannot be migrated at the moment", notYet(&migration.Error{Kind: migration.KindStatus, Migration: sample, Server: sampleServer("REBUILD", "rebuilding")})),
		warn("plan: not known whether migrated", notYet(&migration.Error{Kind: migration.KindUntold, Migration: sample, Server: sampleServer(cloudservers.StatusActive, "")})),
		warn("plan: takes over, tests and confirms or reverts", willTakeOver(adopted, plannedWith(true, onFailureRevert))),
		warn("plan: takes over what is confirmed", willTakeOver(settledSample(migration.StatusConfirmed, ""), plannedWith(true, onFailureKeep))),
		warn("plan: auto_confirm confirms", willConfirm(sample, plannedWith(true, ""))),
		warn("plan: auto_confirm tests and confirms", willConfirm(sample, plannedWith(true, onFailureKeep))),
		warn("plan: auto_confirm tests and confirms or reverts", willConfirm(sample, plannedWith(true, onFailureRevert))),
		warn("plan: auto_confirm not known yet", willConfirm(sample, unknownAutoConfirm(""))),
		warn("plan: auto_confirm not known yet, tests", willConfirm(sample, unknownAutoConfirm(onFailureKeep))),
		warn("plan: takes over, auto_confirm not known yet", willTakeOver(adopted, unknownAutoConfirm(onFailureRevert))),
		{"plan: tests again and may revert", willTest(sample, plannedWith(false, onFailureRevert))},
		{"plan: server shut off", shutOffServer(shutOff, plannedWith(true, onFailureKeep))},
		{"plan: server shut off, no preflight", shutOffServer(shutOff, withoutPreflight)},
		{"plan: reverted lately", revertedLately(migration.Preview{Migration: sample, RolledBack: []migration.Move{revertedMove(3), revertedMove(2)}})},
		{"not verified, awaits confirmation", announce(unverifiedSample(migration.StatusAwaiting), false)},
		{"not verified, confirmed by others", announce(unverifiedSample(migration.StatusConfirmed), false)},
		{"verified, awaits confirmation", announce(verified, false)},
		warn("plan: another resource confirms", willConfirmByAnother(sample)),
		{"not verified, not to be confirmed", refuseUnverified(unverifiedSample(migration.StatusAwaiting))},
		warn("plan: migrates again", willMigrateAgain(settledSample(migration.StatusConfirmed, ""), types.StringValue("none"), true)),
		warn("plan: confirms and migrates again", willMigrateAgain(sample, types.StringValue("confirm"), false)),
		warn("plan: tests, confirms and migrates again", willMigrateAgain(sample, types.StringValue("confirm"), true)),
		warn("plan: reverts and migrates again", willMigrateAgain(sample, types.StringValue("revert"), true)),
		warn("plan: migrates again, on_destroy not known yet", willMigrateAgain(sample, types.StringUnknown(), false)),
		warn("plan: cannot migrate again", willMigrateAgain(sample, types.StringValue("none"), false)),
		warn("plan: cannot migrate again, still under way", willMigrateAgain(moving, types.StringValue("none"), false)),
		warn("plan: destroy confirms what is under way", willDestroy(moving, "confirm", false)),
		warn("plan: replacement refused", refuseReplacement(sample)),
		warn("plan: new name refused", refuseNewName(settledSample(migration.StatusConfirmed, ""))),
		{"plan: not verified", notAsAutoConfirmWants(unverifiedSample(migration.StatusConfirmed))},
		{"plan: reverted, to be confirmed", notAsAutoConfirmWants(settledSample(migration.StatusReverted, ""))},
		warn("deadline is near", deadlineIsNear(sample, sample.ConfirmBy().Add(-125*time.Minute))),
		warn("deadline has passed", deadlineIsNear(sample, sample.ConfirmBy().Add(time.Minute))),
		warn("imported while pending", importedWhilePending(sample, sample.ConfirmBy().Add(-9*time.Hour))),
		warn("no deadline to list by", noDeadline()),
		warn("invalid import id", invalidImportID("web-1", identity{})),
		warn("invalid import identity", invalidImportID("", identity{ServerID: types.StringValue("web-1")})),
		{"no such migration to import", explainImport(sample, &migration.Error{Kind: migration.KindNeverMigrated, Migration: sample})},
		warn("no confirmation to import, awaiting", notConfirmed(sample)),
		warn("no confirmation to import, reverted", notConfirmed(settledSample(migration.StatusReverted, "user-7"))),
		warn("server of a confirmation gone", removedConfirmation(sample)),
		warn("invalid argument of a verification", invalidAt(path.Root("verification").AtName("tcp").AtListIndex(0).AtName("port"), "must be a port from 1 to 65535.")),
	}
}

func TestMessages_matchTheGoldenFile(t *testing.T) {
	var text strings.Builder
	for _, m := range messages() {
		if len(m.diags) != 1 {
			t.Fatalf("%s: got %d diagnostics, want 1", m.name, len(m.diags))
		}
		d := m.diags[0]
		attribute := ""
		if with, ok := d.(diag.DiagnosticWithPath); ok {
			attribute = " (" + with.Path().String() + ")"
		}
		fmt.Fprintf(&text, "== %s ==\n%s%s: %s\n\n%s\n\n", m.name, d.Severity(), attribute, d.Summary(), d.Detail())
	}
	const golden = "testdata/messages.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("messages (-want +got), run with -update if they are meant to change:\n%s", diff)
	}
}

func TestMessages_showNoSecretsChainsOrMarkup(t *testing.T) {
	for _, m := range messages() {
		text := m.diags[0].Summary() + "\n" + m.diags[0].Detail()
		for _, unwanted := range []string{"secret", "<", "%!", "&{", "dial tcp", "Post \"", "Get \"", "goroutine", "context ", "  \n", ".."} {
			if strings.Contains(text, unwanted) {
				t.Errorf("%s: got %q in\n%s", m.name, unwanted, text)
			}
		}
		if m.diags[0].Detail() == "" || strings.HasSuffix(m.diags[0].Summary(), ".") {
			t.Errorf("%s: got\n%s\nwant a summary without a full stop, and a detail", m.name, text)
		}
	}
}

func TestMessages_coverEveryKindOfError(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range messages() {
		seen[m.diags[0].Summary()] = true
	}
	source, err := os.ReadFile("../migration/errors.go")
	kinds := regexp.MustCompile(`(?m)^\tKind\w+ +Kind = "(.+)"$`).FindAllSubmatch(source, -1)
	if len(kinds) == 0 {
		t.Fatalf("got no kinds of errors, %v", err)
	}
	for _, match := range kinds {
		kind := migration.Kind(match[1])
		failure := &migration.Error{Kind: kind, Migration: sample, Server: sampleServer(cloudservers.StatusError, ""), Err: context.Canceled, Want: migration.StatusConfirmed}
		failure.Migration.VerificationResult = failedTest()
		summary := explanation{migration: failure.Migration, failure: failure}.row().summary
		if !seen[strings.ReplaceAll(summary, serverOf(sample), "server "+sample.ServerID)] && !seen[summary] && kind != migration.KindAPI {
			t.Errorf("got no message of error kind %q: %s", kind, summary)
		}
	}
}

// TestMessages_nameNoDeadlineWithoutAConfirmWindow is about a provider without a
// confirm_window. It does not know when the cloud confirms automatically.
func TestMessages_nameNoDeadlineWithoutAConfirmWindow(t *testing.T) {
	defer func(window time.Duration) { sample.ConfirmWindow = window }(sample.ConfirmWindow)
	sample.ConfirmWindow = 0
	promise := regexp.MustCompile(`automatically after|the cloud confirms it|0001-01-01|deadline, 2|  \S| \n| $`)
	for _, m := range messages() {
		if strings.HasPrefix(m.name, "deadline ") { // without a confirm_window, remind does not warn of a deadline
			continue
		}
		for _, d := range m.diags {
			text := strings.ReplaceAll(d.Detail(), "\n  - ", "\n- ")
			if found := promise.FindString(d.Summary() + "\n" + text); found != "" {
				t.Errorf("%s: got %q in %s", m.name, found, text)
			}
		}
	}
	config := &Config{WarnBefore: 6 * time.Hour}
	if got := config.remind(sample, sample.RequestedAt.Add(100*time.Hour)); len(got) > 0 {
		t.Errorf("got %v, want no warning", got)
	}
	if got := displayName(sample); got != "web-1: awaits confirmation" {
		t.Errorf("got the display name %q", got)
	}
}

// guide is the page that lists every diagnostic.
const guide = "../../templates/guides/when-things-go-wrong.md.tmpl"

func TestGuide_listsEveryMessage(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.NewReplacer(serverOf(sample), "SERVER", "server "+sample.ServerID, "SERVER", capital(serverOf(sample)), "SERVER", sample.ServerID, "SERVER", "\"XYZ\"", "REGION", sample.RequestID, "REQUEST")
	for _, m := range messages() {
		if row := "| " + name.Replace(m.diags[0].Summary()) + " |"; !strings.Contains(string(text), row) {
			t.Errorf("%s: the guide has no row %q", m.name, row)
		}
	}
}

// TestGuide_hasATestForEachRow compares the tables of the guide with
// testdata/guide_tests.txt, which names the tests of each row.
func TestGuide_hasATestForEachRow(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("testdata/guide_tests.txt")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{}
	for line := range strings.Lines(string(list)) {
		at := strings.LastIndex(line, ": Test")
		tests[line[:at]] = line[at+2:]
	}
	known := testNames(t)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| message") || strings.HasPrefix(line, "| what fails") {
			continue
		}
		row, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if tests[row] == "" {
			t.Errorf("no test is named for the row %q", row)
		}
		for _, test := range strings.Split(strings.TrimSpace(tests[row]), ", ") {
			if !known[test] {
				t.Errorf("the row %q names the test %q, which does not exist", row, test)
			}
		}
		delete(tests, row)
	}
	for row := range tests {
		t.Errorf("the guide has no row %q, for which tests are named", row)
	}
}

// testNames are the names of all tests.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	files, _ := filepath.Glob("../*/*_test.go")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			known[string(found[1])] = true
		}
	}
	return known
}

func TestModel_namesATimeThatCannotBeRead(t *testing.T) {
	state := imported(sample)
	state.RequestedAt = types.StringValue("yesterday")
	_, diags := state.toMigration(t.Context())
	if len(diags) != 1 || diags[0].Summary() != "Unreadable state" || !strings.Contains(diags[0].Detail(), `"yesterday" in requested_at`) {
		t.Errorf("got %v, want one diagnostic that names the time and its attribute", diags)
	}
}
