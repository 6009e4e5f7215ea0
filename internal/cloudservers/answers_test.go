package cloudservers_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// calls are the API calls of a region, by what the stub names them.
var calls = map[stub.Call]func(context.Context, *cloudservers.Region, string) error{
	stub.CallServer: func(ctx context.Context, r *cloudservers.Region, id string) error {
		_, err := r.Server(ctx, id)
		return err
	},
	stub.CallList: func(ctx context.Context, r *cloudservers.Region, _ string) error {
		_, err := r.Servers(ctx, nil)
		return err
	},
	stub.CallActionLog: func(ctx context.Context, r *cloudservers.Region, id string) error {
		_, err := r.ActionLog(ctx, id)
		return err
	},
}

func TestClient_readsNothingOutOfAnAnswerOfAnotherShape(t *testing.T) {
	bodies := map[string]string{
		"nothing": " ", "null": "null", "a string": `"servers"`, "a number": "7", "a list": "[1,2]", "an empty object": "{}",
		"half an object": `{"server":{"id":`, "a page": "<html><body>Welcome</body></html>",
		"other types": `{"server":{"id":7,"status":[]},"servers":{"a":1},"instanceActions":"none"}`,
		"nulls":       `{"server":null,"servers":null,"instanceActions":null}`,
	}
	for kind, ask := range calls {
		for name, body := range bodies {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud := stub.New(stub.Config{})
					id := cloud.AddServer(stub.Server{})
					cloud.Inject(stub.Fault{Call: kind, Status: http.StatusOK, Body: body})
					failure := wantError(t, ask(t.Context(), region(t, newClient(t, cloud, nil)), id))
					if !failure.Temporary() || failure.MaybeAccepted() || !strings.Contains(failure.Reason(), "answer") {
						t.Errorf("got %q (temporary: %t), want an answer that cannot be read, which may pass", failure.Reason(), failure.Temporary())
					}
				})
			})
		}
	}
}

func TestClient_takesAnyAnswerThatSaysThatAnActionWasAccepted(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent} {
		for name, body := range map[string]string{"empty": " ", "JSON": `{"x":1}`, "a page": "<html>"} {
			cloud := stub.New(stub.Config{})
			id := cloud.AddServer(stub.Server{})
			cloud.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Status: status, Body: body, Header: http.Header{"Content-Type": nil, "Date": nil}})
			got, err := migrate(t.Context(), region(t, newClient(t, cloud, nil)), id)
			if err != nil || got.RequestID == "" || time.Since(got.At).Abs() > time.Minute {
				t.Errorf("%d with a body that is %s: got %+v (%v), want it accepted, now", status, name, got, err)
			}
		}
	}
}

// drip answers a byte every few seconds, for ever.
type drip struct{ http.RoundTripper }

func (d drip) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTripper.RoundTrip(r)
	if err == nil && !strings.HasSuffix(r.URL.Path, "/tokens") {
		resp.Body = &dripping{ctx: r.Context()}
	}
	return resp, err
}

type dripping struct{ ctx context.Context }

func (d *dripping) Read(p []byte) (int, error) {
	select {
	case <-time.After(3 * time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (*dripping) Close() error { return nil }

func TestClient_givesUpOnAnAnswerThatDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) {
			c.Transport, c.MaxRetries, c.RequestTimeout = drip{cloud.Transport()}, 0, 31*time.Second
		}))
		for kind, ask := range calls {
			began := time.Now()
			failure := wantError(t, ask(t.Context(), r, id))
			if took := time.Since(began); took != 31*time.Second || failure.Reason() != "no answer came in time" {
				t.Errorf("%s: got %q after %s, want a timeout after 31s", kind, failure.Reason(), took)
			}
		}
	})
}

func TestClient_namesWhatIsWrongWithTLSAndNames(t *testing.T) {
	listen := func(config *tls.Config) *httptest.Server {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report the handshakes that fail
		server.TLS = config
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	unknown := listen(nil)
	trusting := unknown.Client().Transport.(*http.Transport).Clone()
	_, port, err := net.SplitHostPort(unknown.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	later := trusting.Clone()
	later.TLSClientConfig.Time = func() time.Time { return time.Now().AddDate(200, 0, 0) }
	tests := []struct {
		name      string
		url       string
		transport http.RoundTripper
		want      string
	}{
		{"an unknown authority", unknown.URL, http.DefaultTransport, "signed by an authority that this machine does not know"},
		{"another name", "https://localhost:" + port, trusting, "not for the name localhost"},
		{"a certificate that has expired", unknown.URL, later, "has expired"},
		{"a name that does not exist", "https://nowhere.invalid", &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}}
		}}, "the name nowhere.invalid could not be resolved"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, err := cloudservers.New(cloudservers.Config{
				IdentityEndpoint: test.url + "/v2.0/", Credentials: keyCredentials(), Transport: test.transport,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Region(t.Context(), "")
			failure := wantError(t, err)
			if reason := failure.Reason(); !strings.Contains(reason, test.want) || strings.Contains(reason, "x509") || strings.Contains(reason, "dial") {
				t.Errorf("got %q, want %q in plain words", reason, test.want)
			}
			if failure.MaybeAccepted() {
				t.Error("a request that was never sent can have had an effect")
			}
		})
	}
}

func TestServers_stopsWhenPagesRepeat(t *testing.T) {
	cloud := stub.New(stub.Config{})
	cloud.AddServer(stub.Server{})
	cloud.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusOK, Body: `{"servers":[{"id":"a"}],"servers_links":[{"rel":"next","href":"x"}]}`})
	_, err := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.MaxRetries = 0 })).Servers(t.Context(), nil)
	if got := wantError(t, err).Reason(); !strings.Contains(got, "pages repeat") {
		t.Errorf("got %q, want it to name the pages that repeat", got)
	}
}
