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

// limits is GET …/limits. Without limits the list of rates is empty, as it is
// in some clouds.
func (s *Stub) limits() *answer {
	rates := []object{}
	for _, rate := range []struct {
		verb  string
		limit int
	}{{http.MethodGet, s.config.ReadsPerMinute}, {http.MethodPost, s.config.WritesPerMinute}} {
		if rate.limit > 0 {
			rates = append(rates, object{"uri": "*", "regex": ".*", "limit": []object{
				{"verb": rate.verb, "value": rate.limit, "unit": "MINUTE"},
			}})
		}
	}
	return reply(http.StatusOK, object{"limits": object{"rate": rates, "absolute": object{"maxTotalInstances": 100}}})
}
