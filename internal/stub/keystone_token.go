package stub

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
)

// keystoneTimeFormat is how Identity v3 writes times, in UTC.
const keystoneTimeFormat = "2006-01-02T15:04:05.000000Z"

// newKeystoneTokenID returns an id in the form of Keystone's Fernet tokens. They are
// longer than the ids of Identity v2.0.
func newKeystoneTokenID() string {
	var b [130]byte
	_, _ = rand.Read(b[:]) // never fails
	return "gAAAAA" + base64.RawURLEncoding.EncodeToString(b[:])
}

// newAuditID returns an id by which logs name a token without revealing it.
func newAuditID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// showToken answers with a token of Identity v3: its id in a header, and what it is
// for in the body. Only a token for a project comes with roles and a catalog.
func (s *Stub) showToken(status int, id string, held token, c *call) *answer {
	domain := object{"id": DomainID, "name": DomainName}
	document := object{
		"methods": held.methods, "audit_ids": []string{newAuditID()},
		"issued_at": held.issued.Format(keystoneTimeFormat), "expires_at": held.expires.Format(keystoneTimeFormat),
		"user": object{"id": held.user.ID, "name": held.user.Name, "domain": domain, "password_expires_at": nil},
	}
	if held.scoped {
		document["project"] = object{"id": s.config.TenantID, "name": s.config.ProjectName, "domain": domain}
		document["is_domain"], document["roles"] = false, held.user.keystoneRoles()
		if !c.query.Has("nocatalog") {
			document["catalog"] = s.keystoneCatalog(c.base)
		}
	}
	if credential := held.user.Credential; slices.Contains(held.methods, methodCredential) {
		document["application_credential"] = object{"id": credential.ID, "name": credential.Name, "restricted": true}
	}
	a := replyAsKeystone(status, object{"token": document})
	a.header.Set(headerSubjectToken, id)
	return a
}

// keystoneRoles are the roles of a user in the project. A stronger role comes with
// the weaker ones.
func (u User) keystoneRoles() []object {
	names := []string{"reader"}
	switch {
	case u.Observer:
	case u.Admin:
		names = []string{"admin", "member", "reader"}
	default:
		names = []string{"member", "reader"}
	}
	var roles []object
	for _, name := range names {
		roles = append(roles, object{"id": "role-" + name, "name": name})
	}
	return roles
}

// keystoneCatalog has Nova, Glance and Keystone. The last region has no internal
// network, as in the catalog of Identity v2.0.
func (s *Stub) keystoneCatalog(base string) []object {
	services := []object{}
	for _, service := range []struct {
		kind, name string
		url        func(region string) string
	}{
		{"compute", "nova", func(region string) string {
			return base + "/" + region + "/" + versionNova + "/" + s.config.TenantID
		}},
		{"image", "glance", func(region string) string { return imageEndpoint(base, region) }},
		{"identity", "keystone", func(string) string { return KeystoneEndpoint(base) + "/" }},
	} {
		endpoints := []object{}
		for i, region := range s.config.Regions {
			for _, interfaceName := range []string{"public", "internal", "admin"} {
				if interfaceName == "internal" && i > 0 && i == len(s.config.Regions)-1 {
					continue
				}
				endpoints = append(endpoints, object{
					"id": "endpoint-" + service.name + "-" + region + "-" + interfaceName, "interface": interfaceName,
					"region": region, "region_id": region, "url": service.url(region),
				})
			}
		}
		services = append(services, object{"id": "service-" + service.name, "type": service.kind, "name": service.name, "endpoints": endpoints})
	}
	return services
}
