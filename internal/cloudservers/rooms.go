package cloudservers

import "time"

// KeepRoom keeps migrate requests from taking the place, in the account's minute,
// of a confirm that comes soon. It is to be called when the server is first seen
// to arrive on its new host, and ends when the confirm is asked for or FreeRoom
// is called.
func (c *Client) KeepRoom(serverID string) { c.pace.write.keep(serverID) }

// FreeRoom ends what KeepRoom began, if anything.
func (c *Client) FreeRoom(serverID string) { c.pace.write.free(serverID) }

// roomEarly is how long before its confirm is expected a room is kept.
const roomEarly = 10 * time.Second

// rooms are the places that are kept for confirms, each for a minute at the most.
// When that minute begins is learned: how long it takes from a server's arrival
// to its confirm depends on the cloud, and on what the server is tested with.
type rooms struct {
	servers map[string]*room
	lead    time.Duration // from an arrival to its confirm, as it was lately
}

type room struct {
	since time.Time // when the server arrived
	until time.Time // when its minute ends; zero before it begins
	over  bool      // its minute has passed
}

// take ends a room because the confirm is asked for; there is none for what
// confirms nothing.
func (r *rooms) take(serverID string) {
	if kept := r.servers[serverID]; kept != nil {
		r.lead = time.Since(kept.since)
		delete(r.servers, serverID)
	}
}

// count returns how many rooms are kept now, and when that may be less.
func (r *rooms) count(now time.Time) (kept int, change time.Duration) {
	change = paceWindow
	for _, room := range r.servers {
		if !room.over && !room.until.IsZero() && !now.Before(room.until) {
			room.over, r.lead = true, max(r.lead, now.Sub(room.since)) // it came too early
		}
	}
	for _, room := range r.servers {
		if room.until.IsZero() && now.Sub(room.since) >= r.lead-roomEarly {
			if room.until = room.since.Add(r.lead + paceWindow); !now.Before(room.until) {
				room.until = now.Add(paceWindow)
			}
		}
		if !room.over && !room.until.IsZero() {
			kept, change = kept+1, min(change, room.until.Sub(now))
		}
	}
	return kept, change
}

func (l *lane) keep(serverID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rooms.servers[serverID] != nil {
		return
	}
	if l.rooms.servers == nil {
		l.rooms.servers = map[string]*room{}
	}
	l.rooms.servers[serverID] = &room{since: time.Now()}
}

func (l *lane) free(serverID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rooms.servers[serverID] != nil {
		delete(l.rooms.servers, serverID)
		l.serve()
	}
}
