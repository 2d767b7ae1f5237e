// Package static holds what browsers load besides pages: style sheets,
// scripts, icons, and what npm brought into dist. Every file is embedded and
// served under a name that carries its fingerprint, so it may be kept for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is where Handler expects to be mounted.
const Prefix = "/static/"

//go:embed css js icons.svg favicon.svg all:dist
var embedded embed.FS

// types are fixed here because the mime package asks the operating system.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

// asset is one file, ready to be sent.
type asset struct {
	name  string // "console.js"
	url   string // "/static/console.6db316d35d.js"
	tag   string
	kind  string
	plain []byte
	// zipped is made when somebody asks for it first: a program that starts has
	// other things to do. It is nil where compressing gains little.
	zipped func() []byte
}

// index is every file, under its name and under its address.
type index struct{ byName, byURL map[string]*asset }

// files reads and marks every file when the first page is made.
var files = sync.OnceValue(func() index {
	all := index{map[string]*asset{}, map[string]*asset{}}
	err := fs.WalkDir(embedded, ".", func(file string, entry fs.DirEntry, err error) error {
		kind, known := types[path.Ext(file)]
		if err != nil || entry.IsDir() || !known {
			return err
		}
		body, err := embedded.ReadFile(file)
		if err != nil {
			return err
		}
		a := newAsset(path.Base(file), kind, body)
		if all.byName[a.name] != nil {
			return fmt.Errorf("static: two files are named %s", a.name)
		}
		all.add(a)
		return nil
	})
	if err != nil {
		panic(err)
	}
	if font := all.byName["inter-latin-wght-normal.woff2"]; font != nil {
		all.add(newAsset("font.css", types[".css"], []byte(fontFace(font.url))))
	}
	return all
})

// fontFace names the font that npm brought. It is made here because the file's
// address is known only now.
func fontFace(url string) string {
	return `@font-face{font-family:"Inter Variable";font-style:normal;font-weight:100 900;font-display:swap;src:url("` +
		url + `") format("woff2")}`
}

func (x index) add(a *asset) {
	x.byName[a.name], x.byURL[a.url] = a, a
}

func newAsset(name, kind string, body []byte) *asset {
	sum := sha256.Sum256(body)
	mark := hex.EncodeToString(sum[:])[:10]
	ext := path.Ext(name)
	return &asset{
		name:   name,
		url:    Prefix + strings.TrimSuffix(name, ext) + "." + mark + ext,
		tag:    mark,
		kind:   kind,
		plain:  body,
		zipped: sync.OnceValue(func() []byte { return zip(body) }),
	}
}

// zip compresses a file; nil where that gains little.
func zip(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	if b.Len()*10 >= len(body)*9 {
		return nil
	}
	return b.Bytes()
}

// URL is the address of a file of ours: URL("console.js"). A name that does
// not exist panics, so that any test that renders a page finds the mistake.
func URL(name string) string {
	if a := files().byName[name]; a != nil {
		return a.url
	}
	panic("static: no file is named " + name)
}

// Optional is the address of a file that npm brings, or empty where it did not.
func Optional(name string) string {
	if a := files().byName[name]; a != nil {
		return a.url
	}
	return ""
}

// Text is a file of ours as text, to be set into a page.
func Text(name string) string {
	if a := files().byName[name]; a != nil {
		return string(a.plain)
	}
	panic("static: no file is named " + name)
}

// Handler serves every file under its fingerprinted address and nothing else.
func Handler() http.Handler {
	return http.HandlerFunc(serve)
}

func serve(w http.ResponseWriter, r *http.Request) {
	a := files().byURL[r.URL.Path]
	if a == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	body, tag := a.plain, `"`+a.tag+`"`
	h := w.Header()
	if zipped := a.zipped(); zipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			body, tag = zipped, `"`+a.tag+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", tag)
	if held(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // a client that hangs up is no concern of ours
	}
}

// takesGzip reports whether the header names gzip without refusing it.
func takesGzip(header string) bool {
	for _, part := range strings.Split(header, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		_, q, weighted := strings.Cut(weight, "=")
		value, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return !weighted || err != nil || value > 0
	}
	return false
}

// held reports whether the client already holds the version with this tag.
func held(header, tag string) bool {
	for _, part := range strings.Split(header, ",") {
		if t := strings.TrimPrefix(strings.TrimSpace(part), "W/"); t == tag || t == "*" {
			return true
		}
	}
	return false
}
