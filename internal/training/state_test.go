package training_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/training"
)

// allowed is the state machine written down a second time, as a table of where
// each state leads.
var allowed = map[training.State]string{
	"validating": "queued failed cancelled",
	"queued":     "starting failed cancelled",
	"starting":   "running exporting succeeded failed cancelling cancelled queued",
	"running":    "exporting succeeded failed cancelling cancelled queued",
	"exporting":  "succeeded failed cancelling cancelled queued",
	"cancelling": "cancelled succeeded failed",
}

func leads(from, to training.State) bool {
	for _, s := range strings.Fields(allowed[from]) {
		if s == string(to) {
			return true
		}
	}
	return false
}

// What somebody sees of a job after any moves is what a model of it says: the
// state, when it began and ended, and a line in its log for every move that was
// possible and for no other.
func TestAJobMovesAsTheModelOfItSays(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	ends := map[training.State]int{}
	for range 20_000 {
		j := training.Job{State: training.Validating}
		state, at := training.Validating, time.Unix(1, 0)
		var started, ended time.Time
		for range 12 {
			at = at.Add(time.Second)
			before := j
			var e training.Entry
			var err error
			to := training.States[chance.IntN(len(training.States))]
			possible := leads(state, to)
			if chance.IntN(4) == 0 {
				to, possible = training.Cancelling, !state.Over() && state != training.Cancelling
				if state == training.Validating || state == training.Queued {
					to = training.Cancelled
				}
				e, err = j.Cancel(at)
			} else {
				e, err = j.Move(to, at, training.Why{Reason: "because", Message: "Because."})
			}
			if possible != (err == nil) {
				t.Fatalf("from %s to %s: %v", state, to, err)
			}
			if !possible {
				if f, ok := fault.On(err, "state"); !ok || f.Kind != fault.Conflict || j.State != before.State || j.Reason != before.Reason || e != (training.Entry{}) {
					t.Fatalf("a move that is not possible changed something: %+v, %v", j, err)
				}
				continue
			}
			if state = to; state == training.Starting && started.IsZero() {
				started = at
			}
			if state.Over() {
				ended = at
			}
			if j.State != state || e.State != state || e.Text == "" || !e.At.Equal(at) {
				t.Fatalf("%+v, %+v", j, e)
			}
		}
		if !j.StartedAt.Equal(started) || !j.EndedAt.Equal(ended) || state.Over() != !ended.IsZero() {
			t.Fatalf("%s: started %v, ended %v", state, j.StartedAt, j.EndedAt)
		}
		ends[state]++
	}
	for _, s := range training.States {
		if ends[s] == 0 {
			t.Errorf("no walk ended in %s", s)
		}
	}
}

func TestEveryStateLeadsToAnEnd(t *testing.T) {
	reach := map[training.State]bool{training.Validating: true}
	for grew := true; grew; {
		grew = false
		for from := range reach {
			for _, to := range training.States {
				if leads(from, to) && !reach[to] {
					reach[to], grew = true, true
				}
			}
		}
	}
	for _, s := range training.States {
		if !reach[s] {
			t.Errorf("nothing leads to %s", s)
		}
		if s.Over() != (allowed[s] == "") {
			t.Errorf("%s has ways on: %s", s, allowed[s])
		}
	}
}
