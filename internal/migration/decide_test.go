package migration

import (
	"fmt"
	"slices"
	"testing"
)

// rules are what each decision has to obey. They follow from the engine's promises, and
// not from its code. broken tells whether a decision breaks a rule.
var rules = []struct {
	name   string
	broken func(s situation, next step) bool
}{
	{"a migrate request is sent only for a server at rest, whose migration is not known", func(s situation, next step) bool {
		return next.do == doMigrate && (s.known || s.server != serverResting)
	}},
	{"a migrate request is not sent while the log has a migration of ours, or was not read", func(s situation, next step) bool {
		return next.do == doMigrate && slices.Contains([]Outcome{logUnread, OutcomeOpen, OutcomeConfirmed, OutcomeEnded}, s.log)
	}},
	{"a lost migrate request is repeated only when its absence is proven", func(s situation, next step) bool {
		return next.do == doMigrate && s.sent == sentLost && (!s.proof || !s.retry || s.log != logNothing || s.host != hostSource)
	}},
	{"a refused migrate request is repeated only within the limit", func(s situation, next step) bool {
		return next.do == doMigrate && s.sent == sentRefused && !s.retry
	}},
	{"without a log, only a server that was left alone for long is migrated", func(s situation, next step) bool {
		return next.do == doMigrate && s.log == logUnreadable && !s.unchangedForLong
	}},
	{"an open move of somebody else has to be proven wrong before a migrate request", func(s situation, next step) bool {
		return next.do == doMigrate && s.log == logOther && !s.proof
	}},
	{"a migration that is known is not taken over", func(s situation, next step) bool {
		return s.known && next.do == doTakeOver
	}},
	{"only what the log has is taken over, if it is open or was confirmed lately", func(s situation, next step) bool {
		return next.do == doTakeOver && s.log != OutcomeOpen && s.log != OutcomeConfirmed
	}},
	{"after a lost migrate request nothing is concluded without proof", func(s situation, next step) bool {
		return !s.known && s.sent == sentLost && !s.proof && next.do != doLookMore
	}},
	{"a confirm is sent only for the goal to confirm, a revert for the goal to revert", func(s situation, next step) bool {
		return next.do == doConfirm && s.goal != goalConfirmed || next.do == doRevert && s.goal != goalReverted
	}},
	{"a confirm or revert is sent only for a migration of ours that awaits it", func(s situation, next step) bool {
		ours := s.log == OutcomeOpen || s.log == logUnreadable && s.shownByServer
		return settles(next) && (!s.known || s.server != serverAwaiting || !ours)
	}},
	{"no confirm is sent before the test has passed", func(s situation, next step) bool {
		return next.do == doConfirm && s.sent == sentNothing && s.test != testNone && s.test != testPassed
	}},
	{"a confirm or revert is repeated only with proof, and never after a refusal", func(s situation, next step) bool {
		return settles(next) && s.sent != sentNothing && (s.sent == sentRefused || !s.proof || !s.retry)
	}},
	{"an accepted confirm or revert is repeated only if the log says that it had no effect", func(s situation, next step) bool {
		return settles(next) && s.sent == sentAccepted && s.log != OutcomeOpen
	}},
	{"on the original host a confirm or revert needs proof, since a revert passes through there", func(s situation, next step) bool {
		return settles(next) && s.host == hostSource && !s.proof
	}},
	{"only what awaits confirmation or was confirmed is tested, unless the goal is to revert or to see", func(s situation, next step) bool {
		asked := (s.goal == goalMoved || s.goal == goalConfirmed) && (s.test == testDue || s.test == testGate)
		return next.do == doTest && (!s.known || !asked || s.server != serverAwaiting && next.status != StatusConfirmed)
	}},
	{"a success is what the goal says", func(s situation, next step) bool {
		allowed := map[goal][]Status{
			goalMoved: {StatusAwaiting, StatusConfirmed}, goalConfirmed: {StatusConfirmed}, goalReverted: {StatusReverted, StatusFailed},
			goalObserved: {StatusAwaiting, StatusConfirmed, StatusReverted, StatusFailed},
		}
		return next.do == doFinish && (!s.known || !slices.Contains(allowed[s.goal], next.status))
	}},
	{"no success is reported while a test is due or has failed", func(s situation, next step) bool {
		confirms := s.goal == goalConfirmed && (s.test == testDue || s.test == testFailed)
		return next.do == doFinish && (confirms || s.goal == goalMoved && s.test == testDue)
	}},
	{"a test says nothing any more when another move has begun before a confirm was sent", func(s situation, next step) bool {
		moved := s.goal == goalMoved || s.goal == goalConfirmed
		made := s.test == testPassed || s.test == testFailed
		says := next == finish(StatusConfirmed) || next == step{doStop, StatusConfirmed, KindUnverified}
		return says && moved && made && s.newer && s.sent == sentNothing && s.log != logUnread
	}},
	{"what the log says of the end is what is reported", func(s situation, next step) bool {
		word := map[Outcome]Status{OutcomeFailed: StatusFailed, OutcomeConfirmed: StatusConfirmed, OutcomeReverted: StatusReverted}[s.log]
		return word != "" && next.status.Settled() && next.status != word
	}},
	{"no end is reported where the log says that another move came between", func(s situation, next step) bool {
		return s.known && s.log == OutcomeEnded && next.status.Settled()
	}},
	{"without the log's word an end needs proof, a request that was accepted, or an error of the server", func(s situation, next step) bool {
		told := s.log == OutcomeFailed || s.log == OutcomeConfirmed || s.log == OutcomeReverted
		return next.status.Settled() && !told && !s.proof && s.sent != sentAccepted && s.server != serverError
	}},
	{"after an accepted request, the host does not speak against what is reported", func(s situation, next step) bool {
		told := s.log == OutcomeConfirmed || s.log == OutcomeReverted
		return !told && !s.proof && s.server == serverResting &&
			(next.status == StatusConfirmed && s.host == hostSource || next.status == StatusReverted && s.host == hostElsewhere)
	}},
	{"without a log nothing is concluded of a migration that can have been replaced", func(s situation, next step) bool {
		return s.known && s.log == logUnreadable && s.mayBeReplaced && s.sent != sentAccepted && next.status.Settled()
	}},
	{"without a log an error of the server is no end of a migration that was seen to await confirmation", func(s situation, next step) bool {
		failed := next.status == StatusFailed && (s.server == serverError || s.server == serverFailing)
		return s.known && s.log == logUnreadable && s.hasAwaited && s.sent != sentAccepted && failed
	}},
	{"nothing is concluded of a migration that a readable log does not have", func(s situation, next step) bool {
		return s.known && s.log == logNothing && s.sent != sentAccepted && next.status.Settled()
	}},
	{"a poll concludes only what the server alone proves", func(s situation, next step) bool {
		if s.log != logUnread || !s.known {
			return false
		}
		gone := next == stop(KindGone) && s.server == serverGone
		seen := next == finish(StatusAwaiting) && s.goal == goalObserved && s.shownByServer && s.server == serverAwaiting
		ended := next.status.Settled() && s.sent == sentAccepted && s.server == serverResting && s.host != hostUnknown
		return !slices.Contains([]action{doLook, doWait, doTest}, next.do) && !gone && !seen && !ended
	}},
	{"with proof nothing is looked at again, but a server that is being deleted", func(s situation, next step) bool {
		return next.do == doLookMore && s.proof && s.server != serverDeleting
	}},
	{"more proof changes no decision that did not wait for it", func(s situation, next step) bool {
		s.proof = true
		return next.do != doLookMore && decide(s) != next
	}},
	{"what waits can still change", func(s situation, next step) bool {
		passing := slices.Contains([]serverState{serverBusy, serverMoving, serverSettling, serverReverting, serverOther}, s.server)
		settling := s.server == serverAwaiting && (s.log == OutcomeConfirmed || s.log == OutcomeReverted || s.sent == sentAccepted)
		return next.do == doWait && !passing && !settling && s.goal != goalObserved
	}},
	{"a server that is gone ends everything", func(s situation, next step) bool {
		ended := next.do == doStop && (next.kind == KindGone || next.kind == KindNotFound)
		return s.server == serverGone && !ended && (s.known || next.do != doLookMore)
	}},
	{"an error is one of those that the caller expects", func(s situation, next step) bool {
		before := []Kind{KindNotFound, KindOnMetal, KindStatus, KindPending, KindUntold, KindRefused, KindUndecided, KindGone}
		after := []Kind{KindGone, KindUnknownEnd, KindWait, KindUnproven, KindFailed, KindReverted, KindConfirmed, KindUnsettled, KindUnverified, KindUntested}
		return next.do == doStop && (!s.known && !slices.Contains(before, next.kind) || s.known && !slices.Contains(after, next.kind))
	}},
	{"a status goes with its error, but a server in ERROR is a failure however its migration ended", func(s situation, next step) bool {
		if next.kind == KindFailed && (s.server == serverError || s.server == serverFailing) {
			return false
		}
		of := map[Kind]Status{KindFailed: StatusFailed, KindReverted: StatusReverted, KindConfirmed: StatusConfirmed, KindUntested: StatusConfirmed}
		return next.do == doStop && of[next.kind] != "" && next.status != of[next.kind]
	}},
	{"only what was sent is called refused or without effect", func(s situation, next step) bool {
		refused := next.do == doStop && slices.Contains([]Kind{KindRefused, KindUndecided, KindUnsettled}, next.kind)
		return refused && (s.sent == sentNothing || s.sent == sentLost && !s.proof)
	}},
}

func settles(next step) bool { return next.do == doConfirm || next.do == doRevert }

// TestDecide_keepsToTheRulesInEverySituation calls decide with every combination
// that work.situation can come to.
func TestDecide_keepsToTheRulesInEverySituation(t *testing.T) {
	broken := make([]int, len(rules))
	count := 0
	eachSituation(func(s situation) {
		count++
		next := decide(s)
		for i, rule := range rules {
			if !rule.broken(s, next) {
				continue
			}
			if broken[i]++; broken[i] <= 3 {
				t.Errorf("%s: got %+v\nin %+v", rule.name, next, s)
			}
		}
	})
	for i, rule := range rules {
		if broken[i] > 3 {
			t.Errorf("%s: broken in %d situations", rule.name, broken[i])
		}
	}
	t.Logf("%d situations, %d rules", count, len(rules))
}

// eachSituation visits every situation that can occur. Before a migration is known, no
// request was accepted, and the log was read. The flags of a known migration are false
// for an unknown one, and the other way round.
func eachSituation(visit func(situation)) {
	for bits := range 1 << 7 {
		flag := func(i int) bool { return bits>>i&1 == 1 }
		base := situation{known: flag(0), proof: flag(1), retry: flag(2)}
		switch {
		case base.known:
			base.newer, base.shownByServer, base.hasAwaited, base.mayBeReplaced = flag(3), flag(4), flag(5), flag(6)
		default:
			base.unchangedForLong = flag(3)
		}
		if !base.known && (flag(4) || flag(5) || flag(6)) {
			continue
		}
		for _, s := range variants(base) {
			visit(s)
		}
	}
}

func variants(base situation) (all []situation) {
	logs := []Outcome{logUnreadable, logNothing, OutcomeOpen, OutcomeFailed, OutcomeConfirmed, OutcomeReverted, OutcomeEnded, logUnread}
	sent := []sentState{sentNothing, sentLost, sentRefused, sentAccepted}
	if !base.known {
		logs = []Outcome{logUnreadable, logNothing, OutcomeOpen, OutcomeConfirmed, OutcomeEnded, logOther}
		sent = sent[:3]
	}
	for goal := goalMoved; goal <= goalObserved; goal++ {
		for server := serverGone; server <= serverOther; server++ {
			for host := hostUnknown; host <= hostElsewhere; host++ {
				for test := testNone; test <= testFailed; test++ {
					if base.known && server == serverOnMetal {
						continue // it is asked before anything is sent
					}
					for _, log := range logs {
						for _, sent := range sent {
							s := base
							s.goal, s.server, s.host, s.test, s.log, s.sent = goal, server, host, test, log, sent
							all = append(all, s)
						}
					}
				}
			}
		}
	}
	return all
}

// String names a step in words.
func (next step) String() string {
	text := [...]string{
		doLook: "look", doLookMore: "look again later", doWait: "wait", doMigrate: "migrate", doTakeOver: "take over",
		doTest: "test", doConfirm: "confirm", doRevert: "revert",
		doFinish: "finish", doStop: "stop",
	}[next.do]
	if next.do == doStop {
		text += ": " + string(next.kind)
	}
	if next.status != "" {
		text += fmt.Sprintf(" (%s)", next.status)
	}
	return text
}
