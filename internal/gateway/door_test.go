package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/gateway"
)

// doored serves a world behind a door.
func doored(t *testing.T, d *gateway.Door) (*world, string) {
	t.Helper()
	w := newWorld(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.Listener = ln
	server := &http.Server{Handler: w.http.Config.Handler, ReadHeaderTimeout: 2 * time.Second}
	go server.Serve(d)
	t.Cleanup(func() { server.Close() })
	return w, ln.Addr().String()
}

// slowly opens a connection and sends a header without an end.
func slowly(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nX-Slow: ", chat)
	return c
}

// answered asks for the models and gives the status, or 0 for none.
func answered(addr string) int {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	return r.StatusCode
}

// Check 40: slow headers fill the places of their own address, for as long as
// headers may take, and those who are turned away hear it at once.
func TestSec40_SlowHeadersHoldOnlyTheirOwnPlacesAndNotForLong(t *testing.T) {
	_, addr := doored(t, &gateway.Door{All: 100, PerAddress: 20})
	var slow []net.Conn
	for range 20 {
		slow = append(slow, slowly(t, addr))
	}
	began := time.Now()
	for range 500 {
		if status := answered(addr); status != 503 && status != 0 {
			t.Fatalf("the twenty-first connection of an address got %d", status)
		}
	}
	if took := time.Since(began) / 500; took > 50*time.Millisecond {
		t.Errorf("turning one away took %v", took)
	}
	slow[0].Close()
	until(t, func() bool { return answered(addr) == 401 })
	until(t, func() bool { // the server gives up on the others by itself
		slow[19].SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err := io.ReadAll(slow[19])
		return err == nil || !strings.Contains(err.Error(), "timeout")
	})
	until(t, func() bool { return answered(addr) == 401 })
}

func until(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

func TestADoorCountsProxiesOnlyAmongAll(t *testing.T) {
	_, addr := doored(t, &gateway.Door{All: 5, PerAddress: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for range 4 {
		slowly(t, addr)
	}
	until(t, func() bool { return answered(addr) == 401 })
	slowly(t, addr)
	until(t, func() bool { s := answered(addr); return s == 503 || s == 0 })
}

// Check 40: a body one byte over the cap is refused, with and without a length,
// and no more of it is kept than the cap.
func TestSec40_ABodyOneByteOverTheCapIsRefusedChunkedToo(t *testing.T) {
	const most = 4096
	w := newWorld(t, func(w *world) { w.config.MaxBody = most })
	fill := func(n int) string {
		rest := openAIBody("qwen-turbo", `,"user":"%"`)
		return strings.Replace(rest, "%", strings.Repeat("x", n-len(rest)+1), 1)
	}
	for _, chunked := range []bool{false, true} {
		a := ask{path: chat, key: "marketing", ws: marketing, chunked: chunked}
		if a.body = fill(most); len(a.body) != most {
			t.Fatal(len(a.body))
		}
		if got := w.call(a); got.status != 200 {
			t.Errorf("chunked %v, at the cap: %d %s", chunked, got.status, got.body)
		}
		a.body = fill(most + 1)
		if got := w.call(a); got.status != 413 || !strings.Contains(got.body, "BadRequest.TooLarge") && !strings.Contains(got.body, "Payload Too Large.") {
			t.Errorf("chunked %v, over the cap: %d %s", chunked, got.status, got.body)
		}
	}
	if n := w.mock.Calls(); n != 2 {
		t.Errorf("the provider was called %d times", n)
	}
}

// Check 40: depth and number are bounded, quickly, in both dialects.
func TestSec40_JSONTooDeepOrOfTooManyMessagesIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	many := "[" + strings.Repeat(`{"role":"user","content":"x"},`, 100_000) + `{"role":"user","content":"x"}]`
	for name, messages := range map[string]string{"depth 10,000": deep, "100,001 messages": many} {
		for path, body := range map[string]string{
			chat: `{"model":"qwen-turbo","messages":` + messages + `}`, generation: `{"model":"qwen-turbo","input":{"messages":` + messages + `}}`,
		} {
			began := time.Now()
			got := w.call(ask{path: path, key: "marketing", ws: marketing, body: body})
			if got.status != 400 || !strings.Contains(got.body, "InvalidParameter") {
				t.Errorf("%s at %s: %d %.200s", name, path, got.status, got.body)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s at %s took %v", name, path, took)
			}
		}
	}
}
