package migration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the transcripts of testdata anew")

// Events that many stories have.
const (
	goesOn  = "A goes on" // the run makes its next steps, until it polls and nothing has changed
	passes1 = "ten seconds pass"
	moved   = "the server is on its new host"
	arrived = "the server awaits confirmation"
	settled = "the confirm is done"
)

// stories are lists of events. The transcript of each is a file in testdata. An event is
// written as its name. "A goes on" stands for the next events of run A.
var stories = []struct {
	file     string
	scenario scenario
	events   []string
}{
	{"confirm", scenario{plans: []plan{create}}, []string{
		goesOn, passes1, moved, goesOn, passes1, arrived, goesOn, settled, goesOn,
	}},
	{"lost_answer_with_effect", scenario{plans: []plan{create}, left: budget{lost: 1}}, []string{
		"A reads the log", "A reads the server", "A sends migrate, the answer is lost", goesOn, passes1, moved, passes1, arrived, goesOn, settled, goesOn,
	}},
	{"lost_answer_without_effect", scenario{plans: []plan{create}, left: budget{lost: 1}}, []string{
		"A reads the log", "A reads the server", "A sends migrate, the request is lost", goesOn, passes1, goesOn, passes1, goesOn,
		passes1, moved, passes1, arrived, goesOn, settled, goesOn,
	}},
	{"somebody_reverts_and_migrates_again", scenario{setting: twoHosts, plans: []plan{create}, others: settlers, left: budget{others: 2}}, []string{
		goesOn, passes1, moved, goesOn, passes1, arrived, "somebody sends revertResize", "the server is back on its old host", "the revert is nearly done",
		"somebody sends migrate", moved, passes1, passes1, arrived, goesOn,
	}},
	{"the_cloud_confirms", scenario{plans: []plan{create}, left: budget{autos: 1}}, []string{
		goesOn, passes1, moved, goesOn, passes1, arrived, "the cloud confirms by itself", goesOn,
	}},
	{"crash_after_migrate", scenario{plans: []plan{create}, left: budget{crashes: 1}}, []string{
		goesOn, moved, "A crashes", goesOn, passes1, passes1, arrived, goesOn, settled, goesOn,
	}},
	{"crash_after_confirm", scenario{plans: []plan{create}, others: []word{toResize, toConfirm}, left: budget{crashes: 1, others: 2}}, []string{
		goesOn, passes1, moved, passes1, arrived, goesOn, "A crashes", settled, "somebody sends resize", moved, passes1, passes1, arrived,
		"somebody sends confirmResize", settled, goesOn,
	}},
	{"two_creates", scenario{plans: []plan{create, another}}, []string{
		"A reads the log", "A reads the server", "B reads the log", "B reads the server", "A sends migrate", "B sends migrate", "B goes on",
		passes1, moved, passes1, arrived, "B goes on", goesOn, settled, goesOn, "B goes on",
	}},
	{"revert_of_a_stopped_server", scenario{setting: shutOff, pending: unconfirmed, plans: []plan{reverts}}, []string{
		"B goes on", "the server is back on its old host", "the revert is nearly done", "B goes on", "the server is powered off", "B goes on",
	}},
	{"failed_test_is_rolled_back", scenario{plans: []plan{rollsBack}}, []string{
		goesOn, passes1, moved, passes1, arrived, "A polls", "A reads the log", "A reads the server", "A sees the server fail its test", goesOn, "the server is back on its old host",
		"the revert is nearly done", goesOn,
	}},
}

func TestModel_tellsItsStories(t *testing.T) {
	engine, errLost := api(t)
	for _, story := range stories {
		t.Run(story.file, func(t *testing.T) {
			m := newModel(story.scenario, engine, errLost)
			got := m.transcript(m.play(t, story.events))
			file := filepath.Join("testdata", story.file+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// play returns the events of a story.
func (m *model) play(t *testing.T, story []string) (events []event) {
	t.Helper()
	s := m.begin()
	saw := map[int8]picture{} // the server as each run last read it
	take := func(e event) {
		if e.kind == ofServer || e.kind == ofPoll {
			saw[e.run] = s.server
		}
		var bad string
		if s, bad = m.apply(s, e); bad != "" {
			t.Fatal(bad)
		}
		events = append(events, e)
	}
	for _, line := range story {
		if who, ok := strings.CutSuffix(line, " goes on"); ok {
			i := int8(slices.IndexFunc(m.plans, func(p plan) bool { return p.name == who }))
			for !s.runs[i].ended {
				next := m.eventsOf(nil, &s, s.runs[i], i)
				if len(next) == 0 || next[0].kind == ofPoll && saw[i] == s.server {
					break
				}
				take(next[0])
			}
			continue
		}
		possible := m.events(&s)
		i := slices.IndexFunc(possible, func(e event) bool { return m.name(&s, e) == line })
		if i < 0 {
			t.Fatalf("%q cannot happen now\n%s", line, m.transcript(events))
		}
		take(possible[i])
	}
	return events
}

// transcript describes events, one a line: what happened, what the run read, and what it
// decided.
func (m *model) transcript(events []event) string {
	var text strings.Builder
	s := m.begin()
	for _, e := range events {
		before := s
		var bad string
		s, bad = m.apply(s, e)
		fmt.Fprintf(&text, "%3ds  %s\n", int(before.now)*10, strings.TrimRight(fmt.Sprintf("%-52s %s", m.name(&before, e), m.outcome(&before, &s, e)), " "))
		if bad != "" {
			fmt.Fprintf(&text, "      %s\n", bad)
		}
	}
	return text.String()
}

// name describes an event.
func (m *model) name(s *state, e event) string {
	who, old := "", ""
	if e.run >= 0 {
		who = m.plans[e.run].name + " "
	}
	if e.arg > 0 {
		old = fmt.Sprintf(", %d pictures late", s.replaced[0]+1-e.arg)
		if e.kind == ofLog {
			old = fmt.Sprintf(", %d entries late", s.replaced[1]+1-e.arg)
		}
	}
	switch e.kind {
	case ofTime:
		return "ten seconds pass"
	case ofCloud:
		return changes[e.arg].name
	case ofOthers:
		return "somebody sends " + words[e.arg]
	case ofFlight:
		return "a late " + words[s.flights[e.arg].word] + " arrives"
	case ofLog:
		if e.arg == unread {
			return who + "cannot read the log"
		}
		return who + "reads the log" + old
	case ofServer:
		return who + "reads the server" + old
	case ofPoll:
		return who + "polls" + old
	case ofTimeout:
		return who + "has waited long enough"
	case ofTest:
		return who + map[int8]string{0: "sees the server fail its test", 1: "sees the server pass its test"}[e.arg]
	case ofSend:
		return who + "sends " + s.runs[e.run].next.String() + answers[e.arg]
	}
	return who + "crashes"
}

// outcome describes what a run read in an event, and what it decided then.
func (m *model) outcome(before, after *state, e event) string {
	if e.run < 0 {
		if e.kind == ofTime {
			return ""
		}
		return "the server: " + m.shows(after.server)
	}
	r := after.runs[e.run]
	switch e.kind {
	case ofCrash:
		return ""
	case ofSend:
		if refused := r.sentBy == errRefused; refused {
			return "refused; next: " + r.next.String()
		}
	case ofLog:
		var moves []string
		for _, move := range r.moves {
			moves = append(moves, fmt.Sprintf("%s of %s %s", move.RequestID, move.UserID, move.Outcome))
		}
		return "saw " + strings.Join(moves, ", ")
	case ofServer, ofPoll:
		p := before.server
		if e.arg > 0 {
			p = before.servers[e.arg-1]
		}
		return "saw " + m.shows(p) + "; next: " + r.next.String()
	}
	return "next: " + r.next.String()
}

// shows describes a picture with the API's status and task.
func (m *model) shows(p picture) string {
	server := m.server(p, 0)
	if server == nil {
		return "404"
	}
	return fmt.Sprintf("%s, host %d", strings.TrimSpace(server.Status+" "+server.TaskState), p.host)
}
