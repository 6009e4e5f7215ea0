package migration

import (
	"slices"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Outcome is how a migrate or resize ended, by the action log. Three outcomes are also
// the status that the migration then has.
type Outcome string

// The outcomes of a move.
const (
	OutcomeOpen      Outcome = "open"                   // it is under way, awaits confirmation, or nothing is known of its end
	OutcomeFailed            = Outcome(StatusFailed)    // the message of its entry is cloudservers.ActionFailed
	OutcomeConfirmed         = Outcome(StatusConfirmed) // a confirmResize without an error follows it
	OutcomeReverted          = Outcome(StatusReverted)  // a revertResize without an error follows it
	OutcomeEnded     Outcome = "ended"                  // another move follows it, and the log does not say how this one ended
)

// Move is one migrate or resize of a server, with what the action log says of
// its end. Times are UTC, by the API's clock, in whole seconds.
type Move struct {
	RequestID string
	UserID    string
	Resize    bool // it is a resize, not a migration
	Started   time.Time
	Outcome   Outcome
	SettledAt time.Time // when it was confirmed or reverted; with OutcomeEnded, the latest time at which it can have ended
	SettledBy string    // the user who did that; empty when the cloud did
}

// history is the list of a server's moves, newest first.
type history []Move

// readHistory is the one parser of the action log, whose entries come newest
// first. A confirm or revert belongs to the open move before it. A move that
// failed ends no other one.
func readHistory(log []cloudservers.Action) history {
	var moves history // oldest first, until the end
	open := -1
	for _, entry := range slices.Backward(log) {
		failed := entry.Message == cloudservers.ActionFailed
		switch entry.Action {
		case cloudservers.ActionMigrate, cloudservers.ActionResize:
			move := Move{
				RequestID: entry.RequestID, UserID: string(entry.UserID), Started: entry.Start.Time,
				Resize: entry.Action == cloudservers.ActionResize, Outcome: OutcomeOpen,
			}
			if failed {
				move.Outcome = OutcomeFailed
			} else {
				if open >= 0 {
					moves[open].Outcome, moves[open].SettledAt = OutcomeEnded, move.Started
				}
				open = len(moves)
			}
			moves = append(moves, move)
		case cloudservers.ActionConfirm, cloudservers.ActionRevert:
			if failed || open < 0 {
				continue
			}
			moves[open].Outcome = OutcomeConfirmed
			if entry.Action == cloudservers.ActionRevert {
				moves[open].Outcome = OutcomeReverted
			}
			moves[open].SettledAt, moves[open].SettledBy = entry.Start.Time, string(entry.UserID)
			open = -1
		}
	}
	slices.Reverse(moves)
	return moves
}

// open is the move that has not ended; nil if there is none.
func (h history) open() *Move {
	return h.first(func(m Move) bool { return m.Outcome == OutcomeOpen })
}

// byRequest is the move of a request id; nil if the log does not have it.
func (h history) byRequest(id string) *Move { return h.first(isOfRequest(id)) }

// isOfRequest returns a function that tells whether a move has a request id.
func isOfRequest(id string) func(Move) bool {
	return func(m Move) bool { return id != "" && m.RequestID == id }
}

// first is the newest move that is as wanted; nil if there is none.
func (h history) first(wanted func(Move) bool) *Move {
	if i := slices.IndexFunc(h, wanted); i >= 0 {
		return &h[i]
	}
	return nil
}

// newerThan is the part of the history that is newer than the newest old move; all of
// it, if no move is old.
func (h history) newerThan(old func(Move) bool) history {
	if i := slices.IndexFunc(h, old); i >= 0 {
		return h[:i]
	}
	return h
}
