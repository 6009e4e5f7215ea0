package cloudservers

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fault is what a JSON object with one key, the fault's name, holds.
type fault struct {
	Message string    `json:"message"`
	Details string    `json:"details"`
	RetryAt time.Time `json:"retryAt"`
}

// readFault takes what it can from a failed answer. A proxy's page holds no
// fault.
func (e *Error) readFault(body []byte, header http.Header) {
	var named map[string]json.RawMessage
	if json.Unmarshal(body, &named) != nil {
		named = nil
	}
	var retryAt time.Time
	for _, name := range slices.Sorted(maps.Keys(named)) {
		var f fault
		if json.Unmarshal(named[name], &f) != nil && f.Message == "" {
			continue
		}
		e.Fault, e.Message, e.Details, retryAt = plain(name), plain(f.Message), plain(f.Details), f.RetryAt
		break
	}
	if e.overLimit() {
		e.RetryAfter = retryAfter(header, retryAt)
	}
}

// maxRetryAfter is how long an answer can hold requests back. The API's limits
// are by the minute; whatever says more than this is mistaken.
const maxRetryAfter = time.Hour

// retryAfter is how long the API wants to be left alone: the header Retry-After,
// in seconds or as an HTTP date, else the fault's retryAt; zero where neither
// says. Dates are by the API's own clock, whatever this machine's says.
func retryAfter(header http.Header, retryAt time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if date, err := http.ParseTime(value); err == nil {
		retryAt = date
	}
	if retryAt.IsZero() {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(0, retryAt.Sub(now)), maxRetryAfter)
}

var markup = regexp.MustCompile(`<[^<>]*>`)

// maxText is how much of a text of the API is shown.
const maxText = 500

// plain makes a text of the API fit for a message: one line, without markup, of
// a bounded length.
func plain(text string) string {
	text = markup.ReplaceAllString(text, " ")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case !unicode.IsPrint(r), r == '<', r == '>':
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return text
}
