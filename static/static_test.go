package static_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"bailiwick/static"
)

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestAFileIsServedUnderItsFingerprintForEver(t *testing.T) {
	url := static.URL("console.js")
	if !regexp.MustCompile(`^/static/console\.[0-9a-f]{10}\.js$`).MatchString(url) {
		t.Fatalf("address %q carries no fingerprint", url)
	}
	res := get(t, url)
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || string(body) != static.Text("console.js") {
		t.Fatalf("answered %d with %d bytes", res.StatusCode, len(body))
	}
	for name, want := range map[string]string{
		"Content-Type":           "text/javascript; charset=utf-8",
		"Cache-Control":          "public, max-age=31536000, immutable",
		"X-Content-Type-Options": "nosniff",
		"Vary":                   "Accept-Encoding",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAFileIsCompressedForThoseWhoTakeIt(t *testing.T) {
	res := get(t, static.URL("parts.css"), "Accept-Encoding", "br, gzip;q=0.8")
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil || string(body) != static.Text("parts.css") {
		t.Fatalf("unpacked to something else: %v", err)
	}
	if refused := get(t, static.URL("parts.css"), "Accept-Encoding", "gzip;q=0"); refused.Header.Get("Content-Encoding") != "" {
		t.Error("compressed for a client that refuses it")
	}
}

func TestAFileThatTheClientHoldsIsNotSentAgain(t *testing.T) {
	tag := get(t, static.URL("tokens.css")).Header.Get("ETag")
	res := get(t, static.URL("tokens.css"), "If-None-Match", tag)
	if res.StatusCode != http.StatusNotModified {
		t.Errorf("answered %d, want 304", res.StatusCode)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	for _, url := range []string{
		"/static/", "/static/console.js", "/static/dist/.gitkeep", "/static/static.go",
		"/static/css/../static.go", "/static/console.0000000000.js", "/console.js",
	} {
		if res := get(t, url); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d, want 404", url, res.StatusCode)
		}
	}
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, static.URL("console.js"), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answered %d, want 405", w.Code)
	}
}

func TestAnUnknownNamePanicsUnlessItIsOptional(t *testing.T) {
	if got := static.Optional("not-there.js"); got != "" {
		t.Errorf("an optional file that is not there has the address %q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown name went unnoticed")
		}
	}()
	static.URL("not-there.js")
}

func TestOurFilesHoldNothingThatTheSecurityPolicyForbids(t *testing.T) {
	for _, name := range []string{"tokens.css", "base.css", "shell.css", "parts.css", "theme.js", "console.js", "transfer.js", "icons.svg"} {
		text := static.Text(name)
		for _, forbidden := range []string{"://", "eval(", "innerHTML", "style=", "@import", "data:"} {
			if strings.Contains(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), forbidden) {
				t.Errorf("%s holds %q", name, forbidden)
			}
		}
	}
}
