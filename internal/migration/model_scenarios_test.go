//go:build !race

// The race detector makes the model ten times as slow, and the model has no concurrency.

package migration

import (
	"sync/atomic"
	"testing"
	"time"
)

var scenarios = []scenario{
	{title: "a create, others do anything", setting: twoHosts, plans: []plan{create}, others: anything, left: budget{others: 2}},
	{title: "a create, others do more", setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 3}},
	{title: "a create, reads lag", setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 2, stale: 1}},
	{title: "a create on one host", setting: oneHost, plans: []plan{create}, others: anything, left: budget{others: 2}},
	{title: "a create, answers are lost", setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 1, lost: 1, late: 1, stale: 1}},
	{title: "a create, more answers are lost", setting: twoHosts, plans: []plan{create}, left: budget{lost: 2, late: 2}},
	{title: "a create, the cloud fails", setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 1, faults: 1, limited: 1, stale: 1}},
	{title: "a create, moves are forgotten", setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 1, forgotten: 1, crashes: 1}},
	{title: "a create whose answer names no request", setting: coarse, plans: []plan{create}, others: settlers, left: budget{others: 1, faults: 1, autos: 1, lost: 1}},
	{title: "a create with a test", setting: twoHosts, plans: []plan{tested}, others: settlers, left: budget{others: 2, autos: 1}},
	{title: "a create that rolls back", setting: shutOff, plans: []plan{rollsBack}, others: settlers, left: budget{others: 1, autos: 1, lost: 1}},
	{title: "a create that only moves", setting: twoHosts, plans: []plan{moves}, others: settlers, left: budget{others: 2, lost: 1}},
	{title: "a create that only moves and tests", setting: twoHosts, plans: []plan{reports}, others: settlers, left: budget{others: 2, autos: 1}},
	{title: "a create that only moves and rolls back", setting: twoHosts, plans: []plan{takesBack}, others: settlers, left: budget{others: 1, autos: 1, lost: 1}},
	{title: "a test of what awaits confirmation", setting: coarse, pending: unconfirmed, plans: []plan{retests}, others: anything, left: budget{others: 2, autos: 1}},
	{title: "no log: a create that only moves and tests", setting: newHosts, hidesLog: true, plans: []plan{reports}, others: settlers, left: budget{others: 2, autos: 1}},
	{title: "a create that crashes", setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 1, late: 1, crashes: 1}},
	{title: "two creates", setting: coarse, quick: true, plans: []plan{create, another}, left: budget{lost: 1}},
	{title: "two creates, one crashes", setting: coarse, quick: true, plans: []plan{create, another}, left: budget{crashes: 1}},
	{title: "two creates and a revert", setting: coarse, quick: true, plans: []plan{create, another}, others: []word{toRevert}, left: budget{others: 1}},
	{title: "a confirm", setting: twoHosts, pending: unconfirmed, plans: []plan{confirms}, others: settlers, left: budget{others: 2, lost: 1, stale: 1}},
	{title: "a confirm after a test", setting: coarse, pending: moving, plans: []plan{gated}, others: anything, left: budget{others: 2, autos: 1}},
	{title: "a confirm of what was taken over", setting: twoHosts, pending: unconfirmed, adopted: true, plans: []plan{confirms}, others: settlers, left: budget{others: 2, late: 1, crashes: 1}},
	{title: "a confirm and a revert", setting: coarse, quick: true, pending: unconfirmed, plans: []plan{confirms, reverts}, others: []word{toMigrate}, left: budget{others: 1, lost: 1}},
	{title: "a revert", setting: shutOff, pending: unconfirmed, plans: []plan{reverts}, others: anything, left: budget{others: 2, lost: 1}},
	{title: "again after a confirm", setting: twoHosts, pending: unconfirmed, plans: []plan{again(OnDestroyConfirm)}, others: settlers, left: budget{others: 1, lost: 1, crashes: 1}},
	{title: "again after a revert", setting: twoHosts, pending: unconfirmed, plans: []plan{again(OnDestroyRevert)}, others: settlers, left: budget{others: 1, lost: 1, crashes: 1}},
	{title: "again, beside a create", setting: coarse, quick: true, pending: confirming, plans: []plan{again(""), another}, left: budget{crashes: 1}},
	{title: "a create after a destroy", setting: twoHosts, pending: unconfirmed, plans: []plan{replaces}, others: settlers, left: budget{others: 2, lost: 1}},
	{title: "a refresh", setting: twoHosts, pending: unconfirmed, plans: []plan{refreshes}, others: anything, left: budget{others: 3, autos: 1, stale: 1}},
	{title: "an import", setting: twoHosts, pending: unconfirmed, plans: []plan{imports}, others: anything, left: budget{others: 3, autos: 1, stale: 1}},
	{title: "an import, the cloud fails", setting: twoHosts, pending: moving, plans: []plan{imports}, others: settlers, left: budget{others: 2, faults: 2, forgotten: 1, stale: 1}},
	{title: "a refresh, the cloud fails", setting: twoHosts, pending: moving, plans: []plan{refreshes}, others: settlers, left: budget{others: 2, faults: 2, forgotten: 1, stale: 1}},
	{title: "no log: a create", setting: newHosts, hidesLog: true, plans: []plan{create}, others: settlers, left: budget{others: 2, lost: 1, stale: 1}},
	{title: "no log: a create with a test", setting: newHosts, hidesLog: true, plans: []plan{tested}, others: settlers, left: budget{others: 2, autos: 1}},
	{title: "no log: a create that crashes", setting: newHosts, hidesLog: true, plans: []plan{moves}, others: settlers, left: budget{others: 2, autos: 1, crashes: 1}},
	{title: "no log: a confirm", setting: newHosts, hidesLog: true, pending: unconfirmed, plans: []plan{confirms}, others: settlers, left: budget{others: 3}},
	{title: "no log: a confirm of what still moves", setting: newHosts, hidesLog: true, pending: moving, plans: []plan{confirms}, others: settlers, left: budget{others: 2, faults: 1}},
	{title: "no log: the cloud fails", setting: newHosts, hidesLog: true, plans: []plan{create}, others: settlers, left: budget{others: 1, faults: 1, forgotten: 1, autos: 1, stale: 1}},
	{title: "no log: a revert", setting: launched, hidesLog: true, pending: unconfirmed, plans: []plan{reverts}, others: anything, left: budget{others: 2, lost: 1}},
	{title: "the log is away at times: a create", setting: newHosts, plans: []plan{create}, others: settlers, left: budget{others: 2, unread: 1, lost: 1}},
	{title: "the log is away at times: a create with a test", setting: setting{coarse: true}, plans: []plan{tested}, others: settlers, left: budget{others: 2, unread: 1, autos: 1}},
	{title: "the log is away at times: a confirm", setting: launched, pending: unconfirmed, adopted: true, plans: []plan{confirms}, others: settlers, left: budget{others: 2, unread: 1, lost: 1}},
}

func TestModel_keepsTheInvariants(t *testing.T) {
	engine, errLost := api(t)
	var total atomic.Int64
	t.Cleanup(func() {
		if t.Logf("%d states in all", total.Load()); total.Load() < 100_000 {
			t.Errorf("got %d states, want 100,000 at least", total.Load())
		}
	})
	for _, sc := range scenarios {
		t.Run(sc.title, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			states, bad := newModel(sc, engine, errLost).explore()
			total.Add(int64(states))
			t.Logf("%d states, %.1f s", states, time.Since(began).Seconds())
			if bad != "" {
				t.Error(bad)
			}
		})
	}
}
