package limit_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"bailiwick/internal/limit"
)

// full is a call under every limit there is.
func full(i int) *limit.Ask {
	a := ask(fmt.Sprintf("%016d", i))
	wide := limit.Limit{Requests: limit.Rate{Count: 900_000_000, Period: 60}, Tokens: limit.Rate{Count: 1_000_000_000, Period: 1}}
	a.OfAccount, a.OfWorkspace, a.KeyCalls, a.WorkspaceCalls, a.Least, a.Tokens = wide, wide, 100, 1000, 10, 20
	return a
}

func BenchmarkAdmitAndSettle(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		asks := make([]*limit.Ask, n)
		for i := range asks {
			asks[i] = full(i)
		}
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			l := limit.New(nil)
			for _, a := range asks {
				passes(l, a, 1)
			}
			b.ReportAllocs()
			var p limit.Pass
			for i := 0; b.Loop(); i++ {
				if r := l.Admit(asks[i*7919%n], &p); r != nil {
					b.Fatalf("%+v", r)
				}
				p.Settle(1)
			}
		})
		b.Run(fmt.Sprintf("keys=%d/parallel", n), func(b *testing.B) {
			l := limit.New(nil)
			var who atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				var p limit.Pass
				for i := int(who.Add(1)) * 1009; pb.Next(); i++ {
					if l.Admit(asks[i*7919%n], &p) == nil {
						p.Settle(1)
					}
				}
			})
		})
	}
}

func BenchmarkRefuse(b *testing.B) {
	l := limit.New(nil)
	a := full(1)
	a.OfWorkspace.Requests = limit.Rate{Count: 1, Period: 3600}
	passes(l, a, 1)
	b.ReportAllocs()
	var p limit.Pass
	for b.Loop() {
		if l.Admit(a, &p) == nil {
			b.Fatal("passed")
		}
	}
}
