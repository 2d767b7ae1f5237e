package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// beRole makes this process one of the other programs of a measurement, if it was
// started as one: the model server, or the bare proxy.
func beRole() {
	var err error
	switch os.Getenv("BESIDE_ROLE") {
	case "":
		return
	case "mock":
		err = modelServer()
	case "bare":
		err = bareProxy(os.Getenv("BESIDE_TARGET"))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// listenAndTell listens on a free port and says on which.
func listenAndTell() (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Println(ln.Addr())
	}
	return ln, err
}

// bareProxy is httputil.ReverseProxy with a pool that is large enough.
func bareProxy(target string) error {
	ln, err := listenAndTell()
	if err != nil {
		return err
	}
	p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	p.Transport = &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 1024, DisableCompression: true}
	p.FlushInterval = -1
	return (&http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}).Serve(ln)
}

// The answers of the model server: one of a thousand bytes, or 64 events.
var (
	wholeAnswer = answerWith("application/json", []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"`+
		strings.Repeat("word ", 150)+`"},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":120,"completion_tokens":150,"total_tokens":270},"system_fingerprint":null}`))
	streamHead   = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	streamEvents = events64()
)

func answerWith(kind string, body []byte) []byte {
	return append([]byte("HTTP/1.1 200 OK\r\nContent-Type: "+kind+"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"), body...)
}

func events64() (list [][]byte) {
	chunk := func(data string) {
		text := "data: " + data + "\n\n"
		list = append(list, []byte(fmt.Sprintf("%x\r\n%s\r\n", len(text), text)))
	}
	for i := range 64 {
		chunk(fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" word%d"},"finish_reason":null,"logprobs":null}]}`, i))
	}
	chunk(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop","logprobs":null}]}`)
	chunk(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[],"usage":{"prompt_tokens":120,"completion_tokens":64,"total_tokens":184}}`)
	chunk("[DONE]")
	list[len(list)-1] = append(list[len(list)-1], "0\r\n\r\n"...)
	return list
}

// modelServer answers as fast as it can, so that it does not limit what is
// measured: it reads no more of a request than it needs.
func modelServer() error {
	ln, err := listenAndTell()
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go answerAll(c)
	}
}

func answerAll(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		stream, pace, err := takeRequest(r)
		if err != nil {
			return
		}
		if !stream {
			if _, err := c.Write(wholeAnswer); err != nil {
				return
			}
			continue
		}
		if _, err := c.Write(streamHead); err != nil {
			return
		}
		for _, e := range streamEvents {
			if pace > 0 {
				time.Sleep(pace)
			}
			if _, err := c.Write(e); err != nil {
				return
			}
		}
	}
}

// takeRequest reads a request, and whether a stream is asked for, and how slow.
func takeRequest(r *bufio.Reader) (stream bool, pace time.Duration, err error) {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return false, 0, err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 15 && bytes.EqualFold(line[:15], []byte("content-length:")) {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[15:])))
		}
	}
	head, err := r.Peek(min(length, 1024))
	if err != nil {
		return false, 0, err
	}
	stream = bytes.Contains(head, []byte(`"stream":true`))
	if bytes.Contains(head, []byte("slowly")) {
		pace = 10 * time.Millisecond
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return stream, pace, err
}
