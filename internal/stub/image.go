package stub

import (
	"net/http"
	"slices"
)

// imageEndpoint is where the Image API of a region is.
func imageEndpoint(base, region string) string { return base + "/" + region + "/image" }

// image answers a request of the Image API. The account has no images, as an account
// whose servers outlived theirs.
func (s *Stub) image(c *call) *answer {
	switch {
	case c.method != http.MethodGet:
		return notFound()
	case len(c.rest) == 0, len(c.rest) == 1 && c.rest[0] == "versions":
		return reply(http.StatusMultipleChoices, object{"versions": []object{{
			"id": "v2.0", "status": "CURRENT", "links": []object{{"rel": "self", "href": imageEndpoint(c.base, c.region) + "/v2/"}},
		}}})
	}
	if _, ok := s.authenticated(c); !ok {
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	if slices.Equal(c.rest, []string{"v2", "images"}) {
		return reply(http.StatusOK, object{"images": []object{}, "first": "/v2/images", "schema": "/v2/schemas/images"})
	}
	return notFound()
}
