package stub_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// A shape describes a JSON value. An object stands for an object with exactly these keys. A
// key that ends in ? may be absent. []any{shape} stands for an array of any length. A text is
// the name of a format, or the value itself. Alternatives are separated by |.
type shape = any

var formats = map[string]func(any) bool{
	"null":   func(v any) bool { return v == nil },
	"bool":   func(v any) bool { _, ok := v.(bool); return ok },
	"text":   func(v any) bool { text, ok := v.(string); return ok && text != "" },
	"empty":  func(v any) bool { return v == "" },
	"whole":  func(v any) bool { number, ok := v.(float64); return ok && number == float64(int(number)) },
	"uuid":   matches(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	"host":   matches(`^[0-9a-f]{56}$`),
	"mac":    matches(`^[0-9a-f]{2}(:[0-9a-f]{2}){5}$`),
	"id":     matches(`^[a-zA-Z0-9-]+$`),
	"req":    matches(`^req-[0-9a-f-]{36}$`),
	"UTC":    matches(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`),
	"time":   matches(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$`),
	"micros": matches(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`),
	"offset": matches(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-06:00$`),
	"url": func(v any) bool {
		text, _ := v.(string)
		parsed, err := url.Parse(text)
		return err == nil && parsed.Host != ""
	},
	"status": func(v any) bool {
		return slices.Contains([]any{
			"ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT", "MIGRATING", "PASSWORD", "PAUSED", "REBOOT", "REBUILD", "RESCUE", "RESIZE",
			"REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SOFT_DELETED", "SUSPENDED", "UNKNOWN", "VERIFY_RESIZE",
		}, v)
	},
	"power": func(v any) bool { return slices.Contains([]any{0.0, 1.0, 3.0, 4.0, 6.0, 7.0}, v) },
}

func matches(pattern string) func(any) bool {
	compiled := regexp.MustCompile(pattern)
	return func(v any) bool { text, ok := v.(string); return ok && compiled.MatchString(text) }
}

// differences lists where a JSON value differs from a shape.
func differences(path string, want shape, got any) []string {
	switch want := want.(type) {
	case string:
		for _, format := range strings.Split(want, "|") {
			if is := formats[format]; is != nil && is(got) || is == nil && got == format {
				return nil
			}
		}
		return []string{fmt.Sprintf("%s: got %v, want %s", path, got, want)}
	case []any:
		list, ok := got.([]any)
		if !ok {
			return []string{fmt.Sprintf("%s: got %v, want an array", path, got)}
		}
		var found []string
		for i, element := range list {
			found = append(found, differences(fmt.Sprintf("%s[%d]", path, i), want[0], element)...)
		}
		return found
	default:
		return objectDifferences(path, want.(object), got)
	}
}

func objectDifferences(path string, want object, got any) []string {
	document, ok := got.(object)
	if !ok {
		return []string{fmt.Sprintf("%s: got %v, want an object", path, got)}
	}
	rest := maps.Clone(document)
	var found []string
	for key, shape := range want {
		name, optional := strings.CutSuffix(key, "?")
		value, has := rest[name]
		delete(rest, name)
		switch {
		case has:
			found = append(found, differences(path+"."+name, shape, value)...)
		case !optional:
			found = append(found, path+"."+name+": is missing")
		}
	}
	for key := range rest {
		found = append(found, path+"."+key+": is not part of the API")
	}
	return found
}

func links(rels ...string) []any { return []any{object{"rel": strings.Join(rels, "|"), "href": "url"}} }

var (
	serverShape = object{
		"id": "uuid", "name": "text", "status": "status", "tenant_id": "id", "user_id": "id", "hostId": "host",
		"created": "UTC", "updated": "UTC", "accessIPv4": "text|empty", "accessIPv6": "text|empty",
		"addresses": object{"public?": []any{object{
			"addr": "text", "version": "whole", "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": "mac",
		}}},
		"config_drive": "empty", "key_name": "null", "metadata": object{"role?": "text"},
		"flavor": object{"id": "text", "links": links("bookmark")}, "image": object{"id": "uuid", "links": links("bookmark")},
		"links": links("self", "bookmark"), "progress?": "whole",
		"fault?":            object{"code": "whole", "created": "UTC", "message": "text"},
		"OS-DCF:diskConfig": "AUTO", "OS-EXT-AZ:availability_zone": "text",
		"OS-EXT-STS:vm_state": "text", "OS-EXT-STS:task_state": "text|null", "OS-EXT-STS:power_state": "power",
		"OS-SRV-USG:launched_at": "time", "OS-SRV-USG:terminated_at": "time|null",
		"os-extended-volumes:volumes_attached": []any{object{"id": "text"}},
	}
	shortServerShape = object{"id": "uuid", "name": "text", "links": links("self", "bookmark")}
	entryShape       = object{
		"action": "text", "instance_uuid": "uuid", "message": "null|Error", "project_id": "id|null",
		"request_id": "req", "start_time": "time", "user_id": "id|null",
	}
	limitsShape = object{"limits": object{
		"absolute": object{
			"maxTotalInstances": "whole", "maxTotalCores": "whole", "maxTotalRAMSize": "whole", "maxImageMeta": "whole", "maxServerMeta": "whole",
			"maxPersonality": "whole", "maxPersonalitySize": "whole", "maxTotalKeypairs": "whole", "maxSecurityGroups": "whole",
			"maxSecurityGroupRules": "whole", "maxTotalFloatingIps": "whole", "maxServerGroups": "whole", "maxServerGroupMembers": "whole",
			"totalInstancesUsed": "whole", "totalCoresUsed": "whole", "totalRAMUsed": "whole", "totalSecurityGroupsUsed": "whole",
			"totalFloatingIpsUsed": "whole", "totalServerGroupsUsed": "whole",
		},
		"rate": []any{object{"uri": "*", "regex": "text", "limit": []any{object{
			"verb": "GET|POST", "value": "whole", "remaining": "whole", "unit": "MINUTE", "next-available": "UTC",
		}}}},
	}}
	versionShape = object{"version": object{
		"id": "v2.0|v2.1", "status": "CURRENT|SUPPORTED|DEPRECATED", "version": "2.1|empty", "min_version": "2.1|empty", "updated": "UTC",
		"links":       []any{object{"rel": "text", "href": "url", "type?": "text"}},
		"media-types": []any{object{"base": "text", "type": "text"}},
	}}
	tokenShape = object{"access": object{
		"token": object{"id": "id", "expires": "offset", "tenant": object{"id": "id", "name": "text"}},
		"user":  object{"id": "id", "name": "text", "roles": []any{object{"name": "text"}}, "RAX-AUTH:defaultRegion": "text"},
		"serviceCatalog": []any{object{"name": "text", "type": "compute|object-store|image", "endpoints": []any{object{
			"tenantId": "id", "publicURL": "url", "internalURL?": "url", "region?": "text", "versionId?": "text",
		}}}},
	}}
	flavorShape = object{
		"id": "text", "name": "text", "vcpus": "whole", "ram": "whole", "disk": "whole", "swap": "whole|empty", "rxtx_factor": "whole",
		"OS-FLV-EXT-DATA:ephemeral": "whole", "OS-FLV-DISABLED:disabled": "bool", "os-flavor-access:is_public": "bool",
		"links": links("self", "bookmark"),
	}
	domainShape        = object{"id": "id", "name": "text"}
	keystoneUserShape  = object{"id": "id", "name": "text", "domain": domainShape, "password_expires_at": "null|micros"}
	unscopedTokenShape = object{"token": object{
		"methods": []any{"password|token|application_credential"}, "audit_ids": []any{"text"},
		"issued_at": "micros", "expires_at": "micros", "user": keystoneUserShape,
	}}
	keystoneTokenShape = object{"token": object{
		"methods": []any{"password|token|application_credential"}, "audit_ids": []any{"text"},
		"issued_at": "micros", "expires_at": "micros", "user": keystoneUserShape,
		"project": object{"id": "id", "name": "text", "domain": domainShape}, "is_domain": "bool",
		"roles":                   []any{object{"id": "id", "name": "admin|member|reader"}},
		"application_credential?": object{"id": "id", "name": "text", "restricted": "bool"},
		"catalog": []any{object{"id": "id", "type": "compute|image|identity", "name": "nova|glance|keystone", "endpoints": []any{object{
			"id": "id", "interface": "public|internal|admin", "region": "text", "region_id": "text", "url": "url",
		}}}},
	}}
	keystoneVersionShape = object{
		"id": "v3.14|v2.0", "status": "stable|deprecated", "updated": "UTC",
		"links": links("self"), "media-types": []any{object{"base": "text", "type": "text"}},
	}
	keystoneErrorShape = object{"error": object{"code": "whole", "message": "text", "title": "text"}}
)

func faultShape(name string) object { return object{name: object{"code": "whole", "message": "text"}} }

// addEveryState adds a server in every status of Nova. It adds other servers that it migrates,
// confirms or deletes, one for each outcome.
func addEveryState(t *testing.T, s *stub.Stub) {
	t.Helper()
	for _, status := range []string{
		"ACTIVE", "SHUTOFF", "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE", "ERROR", "MIGRATING", "BUILD", "REBOOT", "HARD_REBOOT", "PASSWORD",
		"REBUILD", "RESCUE", "SUSPENDED", "PAUSED", "SHELVED", "SHELVED_OFFLOADED", "SOFT_DELETED", "DELETED",
	} {
		s.AddServer(stub.Server{Name: strings.ToLower(status), Status: status, AccessIPv4: "192.0.2.1", AccessIPv6: "2001:db8::1", Metadata: map[string]string{"role": "web"}})
	}
	for _, outcome := range []stub.Outcome{
		stub.OutcomeMoves, stub.OutcomeNoValidHost, stub.OutcomeFails, stub.OutcomeFinishFails, stub.OutcomeInterrupted, stub.OutcomeSameHost,
	} {
		if err := s.Migrate(s.AddServer(stub.Server{Name: fmt.Sprint("migrated-", outcome), Outcome: outcome}), "ann"); err != nil {
			t.Fatal(err)
		}
	}
	for _, outcome := range []stub.ConfirmOutcome{stub.ConfirmSucceeds, stub.ConfirmFails, stub.ConfirmNeverEnds} {
		id := s.AddServer(stub.Server{Name: fmt.Sprint("confirmed-", outcome), Status: "VERIFY_RESIZE", ConfirmOutcome: outcome})
		if err := s.Confirm(id, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(s.AddServer(stub.Server{Name: "deleted"})); err != nil {
		t.Fatal(err)
	}
}

// TestStub_answersInTheShapeOfTheAPI compares every answer with the responses that
// OpenStack documents for Nova's API 2.1, and Rackspace for a token.
func TestStub_answersInTheShapeOfTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{ReportsProgress: true, ReadsPerMinute: 10_000, WritesPerMinute: 100})
		addEveryState(t, s)
		c := newClient(t, s)
		want := func(what string, shape shape, got answer) {
			t.Helper()
			for _, difference := range differences(what, shape, got.json) {
				t.Error(difference)
			}
		}
		seen := map[string]bool{}
		for range 20 { // ten seconds, in which all actions end
			list := c.get("/servers/detail?changes-since=1999-01-01T00:00:00Z")
			want("list detail", object{"servers": []any{serverShape}}, list)
			for _, server := range list.json["servers"].([]any) {
				seen[at(server, "status").(string)] = true
				id := at(server, "id").(string)
				if got := c.get("/servers/" + id); got.status == http.StatusOK {
					want("server", object{"server": serverShape}, got)
				}
				log := c.get("/servers/" + id + "/os-instance-actions")
				if log.status != http.StatusOK {
					continue
				}
				want("action log", object{"instanceActions": []any{entryShape}}, log)
				for _, entry := range log.json["instanceActions"].([]any) {
					want("entry", object{"instanceAction": entryShape}, c.get("/servers/"+id+"/os-instance-actions/"+at(entry, "request_id").(string)))
				}
			}
			time.Sleep(500 * time.Millisecond)
		}
		if len(seen) < 19 {
			t.Errorf("only %d statuses were seen: %v", len(seen), seen)
		}
		want("list", object{"servers": []any{shortServerShape}}, c.get("/servers"))
		page := object{"servers": []any{shortServerShape}, "servers_links": links("next")}
		want("page", page, c.get("/servers?limit=1"))
		want("limits", limitsShape, c.get("/limits"))
		want("version", versionShape, c.do(http.MethodGet, "/ORD/v2/", ""))
		want("token", tokenShape, c.do(http.MethodPost, "/v2.0/tokens", keyFor(stub.DefaultUser)))
		want("Nova's version", versionShape, c.do(http.MethodGet, "/ORD/v2.1/", ""))
		want("flavors", object{"flavors": []any{flavorShape}}, c.get("/flavors/detail"))
		want("short flavors", object{"flavors": []any{object{"id": "text", "name": "text", "links": links("self", "bookmark")}}}, c.get("/flavors"))
		want("flavor", object{"flavor": flavorShape}, c.get("/flavors/general1-1"))
		want("Keystone's versions", object{"versions": object{"values": []any{keystoneVersionShape}}}, c.do(http.MethodGet, "/", ""))
		want("Keystone's version", object{"version": keystoneVersionShape}, c.do(http.MethodGet, "/v3", ""))
		want("Keystone's token", keystoneTokenShape, c.do(http.MethodPost, "/v3/auth/tokens", byPassword(toProject)))
		want("a credential's token", keystoneTokenShape, c.do(http.MethodPost, "/v3/auth/tokens", byCredential))
		want("an unscoped token", unscopedTokenShape, c.do(http.MethodPost, "/v3/auth/tokens", byPassword("")))
		if got := at(c.get("/servers?limit=1").json, "servers_links").([]any); len(got) != 1 {
			t.Errorf("got %d links to the next page, want 1", len(got))
		}
	})
}

func TestStub_answersWithFaultsInTheShapeOfTheAPI(t *testing.T) {
	s := stub.New(stub.Config{WritesPerMinute: 5})
	idle, locked := s.AddServer(stub.Server{}), s.AddServer(stub.Server{Locked: true})
	metal, fixed := s.AddServer(stub.Server{FlavorID: "onmetal-io1"}), s.AddServer(stub.Server{ResizeNotAllowed: true})
	c := newClient(t, s)
	tests := []struct {
		name  string
		do    func() answer
		shape shape
	}{
		{"malformed", func() answer { return c.act(idle, `{}`) }, faultShape("badRequest")},
		{"conflict", func() answer { return c.act(idle, `{"confirmResize":null}`) }, faultShape("conflictingRequest")},
		{"locked", func() answer { return c.act(locked, `{"migrate":{}}`) }, faultShape("conflictingRequest")},
		{"metal", func() answer { return c.act(metal, `{"migrate":{}}`) }, faultShape("badMethod")},
		{"not allowed", func() answer { return c.act(fixed, `{"migrate":{}}`) }, faultShape("resizeNotAllowed")},
		{"over limit", func() answer { return c.act(idle, `{}`) }, object{"overLimit": object{
			"code": "whole", "message": "text", "details": "text", "retryAt": "UTC",
		}}},
		{"unknown", func() answer { return c.get("/servers/nobody") }, faultShape("itemNotFound")},
		{"no such path", func() answer { return c.get("/nothing") }, faultShape("itemNotFound")},
		{"filter", func() answer { return c.get("/servers?changes-since=garbage") }, faultShape("badRequest")},
		{"bad credentials", func() answer { return c.do(http.MethodPost, "/v2.0/tokens", keyFor(stub.User{Name: "x", APIKey: "x"})) }, faultShape("unauthorized")},
		{"Keystone's refusal", func() answer { return c.do(http.MethodPost, "/v3/auth/tokens", "{}") }, keystoneErrorShape},
		{"bad token", func() answer { c.token = "none"; return c.get("/servers") }, faultShape("unauthorized")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, difference := range differences("fault", test.shape, test.do().json) {
				t.Error(difference)
			}
		})
	}
}
