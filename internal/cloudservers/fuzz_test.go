package cloudservers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

const fuzzedID = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"

// scripted answers a token request with a token, and all others with one body.
type scripted struct {
	status int
	header http.Header
	body   string
}

func (s scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, header http.Header, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
	if strings.HasSuffix(r.URL.Path, "/tokens") {
		return answer(http.StatusOK, http.Header{}, `{"access":{"token":{"id":"t"},"user":{"id":"u","RAX-AUTH:defaultRegion":"ORD"},"serviceCatalog":[
			{"name":"cloudServersOpenStack","type":"compute","endpoints":[{"region":"ORD","publicURL":"https://ord.example/v2/1"}]}]}}`)
	}
	return answer(s.status, s.header, s.body)
}

func (s scripted) region(t *testing.T) *Region {
	t.Helper()
	client, err := New(Config{Credentials: Credentials{Username: "u", APIKey: "k"}, Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	region, err := client.Region(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return region
}

// wantExplained fails unless an error has what messages need: a reason, without markup.
func wantExplained(t *testing.T, err error) {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	for _, text := range []string{failure.Reason(), failure.Fault, failure.Message, failure.Details} {
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxText+100 || strings.ContainsAny(text, "<>") ||
			strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("got %q, which is not fit for a message", text)
		}
	}
	if failure.Reason() == "" {
		t.Error("got no reason")
	}
	if failure.RetryAfter < 0 || failure.RetryAfter > maxRetryAfter {
		t.Errorf("got retry after %s, want 0 to %s", failure.RetryAfter, maxRetryAfter)
	}
}

func FuzzFault(f *testing.F) {
	f.Add(409, "", `{"conflictingRequest":{"code":409,"message":"Cannot 'migrate' instance x while it is in vm_state resized"}}`)
	f.Add(413, "17", `{"overLimit":{"code":413,"message":"OverLimit Retry...","details":"Error Details...","retryAt":"2010-08-01T00:00:00Z"}}`)
	f.Add(429, "Mon, 23 Nov 2026 09:00:00 GMT", `{"overLimit":{"message":"m","retryAt":"later"}}`)
	f.Add(502, "", "<html><body><h1>502 Bad Gateway</h1></body></html>")
	f.Add(500, "-1", `{"a":null,"b":[1],"c":{"message":7}}`)
	f.Add(503, "", `{"serviceUnavailable":`)
	f.Add(401, "99999999999999999999", `{"unauthorized":{"message":"\u0000<script>\ud800"}}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		if status < 300 || status > 599 {
			return
		}
		failure := newError(call{op: opMigrate, action: true}, answered(status, http.Header{"Retry-After": {retryAfter}, "Date": {"Mon, 23 Nov 2026 08:59:00 GMT"}}, body))
		wantExplained(t, failure)
		if failure.StatusCode != status {
			t.Errorf("got status %d, want %d", failure.StatusCode, status)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"0", "30", " 5 ", "-1", "+5", "1e3", "5m", "soon", "", "18446744073709551616", "Mon, 23 Nov 2026 09:00:00 GMT", "Monday, 23-Nov-26 09:00:00 GMT"} {
		f.Add(value, "Mon, 23 Nov 2026 08:59:00 GMT", int64(0))
	}
	f.Add("", "", int64(1795000000))
	f.Fuzz(func(t *testing.T, value, date string, retryAt int64) {
		var at time.Time
		if retryAt != 0 {
			at = time.Unix(retryAt, 0)
		}
		got := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, at)
		if got < 0 || got > maxRetryAfter {
			t.Errorf("got %s, want 0 to %s", got, maxRetryAfter)
		}
	})
}

func FuzzServer(f *testing.F) {
	f.Add(`{"server":{"id":"` + fuzzedID + `","name":"web-1","status":"VERIFY_RESIZE","OS-EXT-STS:vm_state":"resized","OS-EXT-STS:task_state":null,"progress":100,"hostId":"a","updated":"2026-11-23T09:19:37Z","flavor":{"id":"general1-1"}}}`)
	f.Add(`{"server":{"id":"` + fuzzedID + `","status":"ERROR","fault":{"code":500,"message":"RuntimeError\n<b>"},"flavor":{"id":"onmetal-io1"}}}`)
	f.Add(`{"server":{"id":"` + fuzzedID + `","status":"ACTIVE","progress":null,"flavor":"","updated":7}}`)
	f.Add(`{"server":null}`)
	f.Add(`[]`)
	f.Add(`<html>`)
	f.Add("")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := scripted{status: http.StatusOK, body: body}.region(t).Server(t.Context(), fuzzedID)
		if err != nil {
			wantExplained(t, err)
			return
		}
		if got.ID != fuzzedID || got.Status == "" || got.SeenAt.IsZero() {
			t.Errorf("got %+v, want the server with a status", got)
		}
		got.OnMetal()
		got.needsSettling()
		if got.Updated == "" && got.Idle() != 0 {
			t.Errorf("got idle for %s, want 0 where the API does not tell", got.Idle())
		}
		if got.Fault != nil && (strings.ContainsAny(got.Fault.Message, "<>\n") || !utf8.ValidString(got.Fault.Message)) {
			t.Errorf("got the fault %q, which is not fit for a message", got.Fault.Message)
		}
	})
}

func FuzzServers(f *testing.F) {
	f.Add(`{"servers":[{"id":"a","status":"ACTIVE"}]}`)
	f.Add(`{"servers":[{"id":"a","status":"ACTIVE"}],"servers_links":[{"rel":"next","href":"https://elsewhere.example/"}]}`)
	f.Add(`{"servers":[null]}`)
	f.Add(`{"servers":[],"servers_links":[{"rel":"next"}]}`)
	f.Add(`{"servers":null}`)
	f.Add(`{"servers":{"id":"a"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got, err := scripted{status: http.StatusOK, body: body}.region(t).Servers(ctx, nil)
		if ctx.Err() != nil {
			t.Fatal("the pages do not end")
		}
		if err != nil {
			wantExplained(t, err)
		}
		for _, server := range got {
			server.OnMetal()
		}
	})
}

func FuzzActionLog(f *testing.F) {
	f.Add(`{"instanceActions":[{"action":"migrate","request_id":"req-1","user_id":"user-1","message":null,"start_time":"2026-11-23T09:19:37.000000"}]}`)
	f.Add(`{"instanceActions":[{"action":"confirmResize","user_id":null,"message":"Error","start_time":"2026-11-23T03:19:37-06:00"}]}`)
	f.Add(`{"instanceActions":[{"start_time":"yesterday","user_id":12}]}`)
	f.Add(`{"instanceActions":[{"start_time":"<b>","user_id":{}}]}`)
	f.Add(`{"instanceActions":[null]}`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := scripted{status: http.StatusOK, body: body}.region(t).ActionLog(t.Context(), fuzzedID)
		if err != nil {
			wantExplained(t, err)
		}
		for _, entry := range got.Actions {
			if entry.Start.Location() != time.UTC {
				t.Errorf("got the time %s, want it in UTC", entry.Start)
			}
		}
	})
}
