package line

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestWhatIsTriedIsTriedOnceByAllWhoAskAndWhoCannotWaitDoesNot(t *testing.T) {
	var p Probe
	tries, goOn := 0, make(chan struct{})
	try := func(context.Context) error { tries++; <-goOn; return nil }
	hurried, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if p.There(hurried, try) {
		t.Error("it is there before anybody knows")
	}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if !p.There(t.Context(), try) {
				t.Error("it is not there")
			}
		})
	}
	close(goOn)
	all.Wait()
	if !p.There(t.Context(), try) || tries != 1 {
		t.Errorf("it was tried %d times", tries)
	}
	var no Probe
	fails := func(context.Context) error { tries++; return errors.New("nobody answers") }
	if no.There(t.Context(), fails) || no.There(t.Context(), fails) || tries != 2 {
		t.Errorf("what failed was tried %d times", tries-1)
	}
}
