package stub

import (
	"net/http"
	"time"
)

// overLimit refuses a request that is beyond the account's limit of reads or
// writes in the last minute.
func (s *Stub) overLimit(c *call) *answer {
	limit, seen := s.config.ReadsPerMinute, &s.reads
	if c.method != http.MethodGet {
		limit, seen = s.config.WritesPerMinute, &s.writes
	}
	if limit == 0 {
		return nil
	}
	now := s.now()
	for len(*seen) > 0 && now.Sub((*seen)[0]) >= time.Minute {
		*seen = (*seen)[1:]
	}
	if len(*seen) >= limit {
		return refuseOverLimit(s.config.RateLimitStatus, now, time.Minute-now.Sub((*seen)[0]))
	}
	*seen = append(*seen, now)
	return nil
}

// What each server uses of the account's quota, and how many servers the quota allows.
const (
	coresOfServer = 1
	ramOfServer   = 1024 // MB
	diskOfServer  = 20   // GB
	maxInstances  = 100
)

// limits is GET …/limits. Without rate limits the list of rates is empty, as it is at a Nova
// that has no rate limiter in front of it.
func (s *Stub) limits(c *call) *answer {
	rates := []object{}
	for _, rate := range []struct {
		verb  string
		limit int
		seen  []time.Time
	}{{http.MethodGet, s.config.ReadsPerMinute, s.reads}, {http.MethodPost, s.config.WritesPerMinute, s.writes}} {
		if rate.limit > 0 {
			more, next := s.remaining(rate.limit, rate.seen)
			rates = append(rates, object{"uri": "*", "regex": ".*", "limit": []object{{
				"verb": rate.verb, "value": rate.limit, "remaining": more, "unit": "MINUTE", "next-available": next.Format(time.RFC3339),
			}}})
		}
	}
	used := 0
	for _, server := range s.servers {
		if server.Region == c.region && server.TenantID == c.tenant && !server.deleted {
			used++
		}
	}
	return reply(http.StatusOK, object{"limits": object{"rate": rates, "absolute": object{
		"maxTotalInstances": maxInstances, "maxTotalCores": maxInstances * coresOfServer, "maxTotalRAMSize": maxInstances * ramOfServer,
		"totalInstancesUsed": used, "totalCoresUsed": used * coresOfServer, "totalRAMUsed": used * ramOfServer,
		"maxServerMeta": 40, "maxImageMeta": 40, "maxPersonality": 5, "maxPersonalitySize": 10240, "maxTotalKeypairs": 100,
		"maxSecurityGroups": -1, "maxSecurityGroupRules": -1, "totalSecurityGroupsUsed": 0,
		"maxTotalFloatingIps": -1, "totalFloatingIpsUsed": 0,
		"maxServerGroups": 10, "maxServerGroupMembers": 10, "totalServerGroupsUsed": 0,
	}}})
}

// remaining is how many more requests fit into the current minute, and when the next
// request fits.
func (s *Stub) remaining(limit int, seen []time.Time) (more int, next time.Time) {
	for len(seen) > 0 && s.now().Sub(seen[0]) >= time.Minute {
		seen = seen[1:]
	}
	if len(seen) < limit {
		return limit - len(seen), s.now()
	}
	return 0, seen[0].Add(time.Minute)
}
