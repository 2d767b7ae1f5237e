package gateway_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"bailiwick/internal/provider/mockserver"
)

// BenchmarkBeside sends the same calls to the mock model server directly,
// through a bare httputil.ReverseProxy, and through the gateway with key,
// policy and metering, in one run. Caller, proxy and model server share this
// process, so only the ratios of the three mean something; cpu-us/op is the
// processor time of all of them together.
func BenchmarkBeside(b *testing.B) {
	w := newWorld(b, nil)
	w.mock.Forget()
	target, err := url.Parse(w.mock.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	bare.Transport = &http.Transport{MaxIdleConnsPerHost: 1024}
	bare.FlushInterval = -1
	proxy := httptest.NewServer(bare)
	defer proxy.Close()
	words := make([]string, 62) // and one event that begins, and one that ends
	for i := range words {
		words[i] = " word"
	}
	shapes := []struct {
		name   string
		answer func(mockserver.Received) mockserver.Reply
		body   string
	}{
		{"whole", mockserver.Default, openAIBody("qwen-turbo", "")},
		{"stream64", mockserver.Chat{Words: words, Input: 7}.Answer, openAIBody("qwen-turbo", `,"stream":true`)},
		{"prompt64KiB", mockserver.Default, strings.Replace(openAIBody("qwen-turbo", ""), `"messages"`, `"user":"`+strings.Repeat("x", 64<<10)+`","messages"`, 1)},
	}
	for _, s := range shapes {
		w.mock.Answer(s.answer)
		for _, way := range []struct{ name, base string }{{"direct", "http://" + w.mock.Addr}, {"bare", proxy.URL}, {"gateway", w.http.URL}} {
			b.Run(s.name+"/"+way.name, func(b *testing.B) { hammer(b, way.base+"/v1/chat/completions", w.keys["marketing"], s.body) })
		}
	}
}

// hammer keeps 32 connections busy.
func hammer(b *testing.B, address, key, body string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	defer client.CloseIdleConnections()
	b.SetParallelism(max(1, 32/runtime.GOMAXPROCS(0)))
	b.ReportAllocs()
	before := processor()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, _ := http.NewRequest(http.MethodPost, address, bytes.NewReader([]byte(body)))
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("X-DashScope-WorkSpace", string(marketing))
			r.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				b.Errorf("status %d, %v", resp.StatusCode, err)
			}
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(processor()-before)/float64(b.N)/1e3, "cpu-us/op")
}

// processor is the processor time of this process so far, in nanoseconds.
func processor() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
