package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// adminPath is where the stub itself is controlled. The API has no such path.
const adminPath = "/_stub/"

// adminPaths are the requests that are answered there.
const adminPaths = "POST /_stub/faults, DELETE /_stub/faults, GET /_stub/requests, POST /_stub/servers/{id} and POST /_stub/advance"

// admin is how a test controls the stub over HTTP.
type admin struct {
	cloud *stub.Stub
	speed float64
}

// withAdmin serves a cloud, and the paths that control it.
func withAdmin(cloud *stub.Stub, speed float64) http.Handler {
	a := admin{cloud: cloud, speed: speed}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+adminPath+"faults", answerWith(a.injectFault))
	mux.HandleFunc("DELETE "+adminPath+"faults", answerWith(a.clearFaults))
	mux.HandleFunc("GET "+adminPath+"requests", answerWith(a.requests))
	mux.HandleFunc("POST "+adminPath+"servers/{id}", answerWith(a.changeServer))
	mux.HandleFunc("POST "+adminPath+"advance", answerWith(a.advance))
	mux.HandleFunc(adminPath, func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no %s %s; there are %s", r.Method, r.URL.Path, adminPaths))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, adminPath) {
			mux.ServeHTTP(w, r)
			return
		}
		cloud.ServeHTTP(w, r)
	})
}

// answerWith answers with the JSON of what a function returns, or with its error.
func answerWith(do func(r *http.Request, body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		var result any
		if err == nil {
			result, err = do(r, body)
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		answer(w, http.StatusOK, result)
	}
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

// injectFault adds the fault that the body describes.
func (a admin) injectFault(_ *http.Request, body []byte) (any, error) {
	fault, err := readFault(body)
	if err == nil {
		err = fault.inject(a.cloud)
	}
	return map[string]string{"name": fault.Name}, err
}

// clearFaults removes all faults.
func (a admin) clearFaults(*http.Request, []byte) (any, error) {
	a.cloud.ClearFaults()
	return struct{}{}, nil
}

// requests returns all requests so far.
func (a admin) requests(*http.Request, []byte) (any, error) {
	requests := []requestObject{}
	for _, request := range a.cloud.Requests() {
		requests = append(requests, newRequestObject(request))
	}
	return map[string]any{"requests": requests}, nil
}

// changeServer changes the fields of a server that the body has.
func (a admin) changeServer(r *http.Request, body []byte) (any, error) {
	id := r.PathValue("id")
	server, exists := a.cloud.Server(id)
	if !exists {
		return nil, fmt.Errorf("there is no server %q", id)
	}
	var given serverObject
	if err := decode(body, &given); err != nil {
		return nil, err
	}
	for _, fixed := range []struct {
		field string
		given *string
	}{{"id", given.ID}, {"accessIPv4", given.AccessIPv4}, {"stub.region", given.Stub.Region}} {
		if fixed.given != nil {
			return nil, wrong(fixed.field, "it cannot be changed; set it in the file of servers")
		}
	}
	if err := given.change(&server, a.speed); err != nil {
		return nil, err
	}
	a.cloud.SetServer(id, func(now *stub.Server) { _ = given.change(now, a.speed) }) // its error would be that of the change above
	return map[string]string{"id": id}, nil
}

// advance moves the stub's clock forward: the steps of migrations that are due happen,
// and tokens expire.
func (a admin) advance(_ *http.Request, body []byte) (any, error) {
	var given struct {
		By duration `json:"by"`
	}
	if err := decode(body, &given); err != nil {
		return nil, err
	}
	if given.By == 0 {
		return nil, wrong("by", `it must be set, such as {"by": "24h"}`)
	}
	a.cloud.Advance(time.Duration(given.By))
	return map[string]time.Time{"now": a.cloud.Now()}, nil
}
