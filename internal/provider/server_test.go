package provider

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/sync/semaphore"
)

// slow is a server whose actions end a while after they are cancelled.
type slow struct {
	frameworkServer
	cancelled chan struct{}
	after     time.Duration
}

func (s *slow) InvokeAction(context.Context, *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	return &tfprotov6.InvokeActionServerStream{Events: func(push func(tfprotov6.InvokeActionEvent) bool) {
		<-s.cancelled
		time.Sleep(s.after)
		push(tfprotov6.InvokeActionEvent{})
	}}, nil
}

func (s *slow) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	close(s.cancelled)
	return &tfprotov6.StopProviderResponse{}, nil
}

func TestStopProvider_returnsOnceTheActionsHaveReportedTheirEnd(t *testing.T) {
	for _, test := range []struct {
		name     string
		actions  int
		after    time.Duration
		reported int
		took     time.Duration
	}{
		{"no action", 0, 0, 0, 0},
		{"two actions", 2, time.Second, 2, time.Second},
		{"actions that do not end", 2, time.Minute, 0, endTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &providerServer{frameworkServer: &slow{cancelled: make(chan struct{}), after: test.after}, actions: semaphore.NewWeighted(math.MaxInt64)}
				reported := make(chan struct{}, test.actions)
				for range test.actions {
					stream, err := s.InvokeAction(t.Context(), nil)
					if err != nil {
						t.Fatal(err)
					}
					go stream.Events(func(tfprotov6.InvokeActionEvent) bool {
						reported <- struct{}{}
						return true
					})
				}
				began := time.Now()
				if _, err := s.StopProvider(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != test.took || len(reported) != test.reported {
					t.Errorf("the stop took %s, and %d actions had reported their end, want %s and %d", took, len(reported), test.took, test.reported)
				}
				time.Sleep(test.after) // virtual time stands still once the test has returned
			})
		})
	}
}
