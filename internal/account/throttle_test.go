package account_test

import (
	"fmt"
	"testing"
	"time"

	"bailiwick/internal/account"
)

func throttle() (*account.Throttle, *time.Time) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return &account.Throttle{Now: func() time.Time { return now }}, &now
}

func TestSec37_AHundredWrongPasswordsFromManyAddressesAreThrottled(t *testing.T) {
	th, _ := throttle()
	made := 0
	for i := range 100 {
		if th.Wait("root@acme", fmt.Sprint("10.0.0.", i)) == 0 {
			th.Failed("root@acme", fmt.Sprint("10.0.0.", i))
			made++
		}
	}
	if made > 6 {
		t.Errorf("%d guesses were let through at once", made)
	}
}

func TestNobodyIsLockedOutForGood(t *testing.T) {
	th, now := throttle()
	longest := time.Duration(0)
	for range 40 {
		wait := th.Wait("Root@Acme", "10.0.0.1")
		longest = max(longest, wait)
		*now = now.Add(wait)
		if th.Wait("root@acme ", "10.0.0.1") != 0 {
			t.Fatal("after the wait one must wait again")
		}
		th.Failed("root@acme", "10.0.0.1")
	}
	if longest < time.Minute || longest > 15*time.Minute {
		t.Errorf("the longest wait is %s", longest)
	}
	*now = now.Add(15 * time.Minute)
	th.Succeeded("root@acme", "10.0.0.1")
	if wait := th.Wait("root@acme", "10.0.0.2"); wait != 0 {
		t.Errorf("after a log-on one waits %s", wait)
	}
}

func TestOneAddressCannotTryManyNames(t *testing.T) {
	th, _ := throttle()
	made := 0
	for i := range 200 {
		if name := fmt.Sprintf("user%d@acme", i); th.Wait(name, "10.0.0.9") == 0 {
			th.Failed(name, "10.0.0.9")
			made++
		}
	}
	if made > 31 {
		t.Errorf("%d guesses from one address were let through at once", made)
	}
}
