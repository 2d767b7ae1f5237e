package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// question is one request, written out.
func question(key, workspace, body string) []byte {
	return []byte("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer " + key +
		"\r\nX-DashScope-WorkSpace: " + workspace + "\r\nUser-Agent: beside\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// caller is one connection that calls, one call after the other.
type caller struct {
	net.Conn
	r *bufio.Reader
}

func dial(address string) (*caller, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &caller{c, bufio.NewReaderSize(c, 16<<10)}, nil
}

// call sends a request and reads the answer to its end. First is when the first
// byte of its body came; wanted is the status it must have.
func (c *caller) call(request []byte, wanted string) (first time.Time, err error) {
	if _, err := c.Write(request); err != nil {
		return first, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return first, err
	}
	if len(line) < 12 || string(line[9:12]) != wanted {
		rest, _ := io.ReadAll(io.LimitReader(c.r, 600))
		return first, fmt.Errorf("%q, not %s: %s", line, wanted, rest)
	}
	length, chunked := 0, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return first, err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 15 && bytes.EqualFold(line[:15], []byte("content-length:")) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:])))
		} else if bytes.EqualFold(bytes.TrimSpace(line), []byte("transfer-encoding: chunked")) {
			chunked = true
		}
		if err != nil {
			return first, err
		}
	}
	if _, err := c.r.Peek(1); err != nil && length+len(line) > 0 {
		return first, err
	}
	first = time.Now()
	if !chunked {
		_, err = c.r.Discard(length)
		return first, err
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return first, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return first, err
		}
		if _, err := c.r.Discard(int(n) + 2); err != nil || n == 0 {
			return first, err
		}
	}
}

// flood keeps connections busy for some time and counts the answers.
func flood(address string, connections int, took time.Duration, wanted string, request func(i int) []byte) (answers int64, times []time.Duration, err error) {
	var done atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	end := time.Now().Add(took)
	for i := range connections {
		all.Go(func() {
			c, err := dial(address)
			var mine []time.Duration
			for n := i; err == nil && time.Now().Before(end); n += connections {
				began := time.Now()
				if _, err = c.call(request(n), wanted); err == nil {
					done.Add(1)
					mine = append(mine, time.Since(began))
				}
			}
			if c != nil {
				c.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
			times = append(times, mine...)
		})
	}
	all.Wait()
	return done.Load(), times, failed
}

// drip calls at a fixed rate, whether or not answers come, and gives the times
// from when each call was due.
func drip(address string, perSecond int, took time.Duration, request func(i int) []byte) (times []time.Duration, err error) {
	const connections = 64
	type call struct {
		at time.Time
		i  int
	}
	due := make(chan call, 4096)
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	for i := range connections {
		all.Go(func() {
			c, err := dial(address)
			if err == nil {
				_, err = c.call(request(i), "200") // the connection is warm
			}
			for now := range due {
				if err != nil {
					continue
				}
				_, err = c.call(request(now.i), "200")
				mu.Lock()
				times = append(times, time.Since(now.at))
				mu.Unlock()
			}
			if c != nil {
				c.Close()
			}
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		})
	}
	time.Sleep(100 * time.Millisecond)
	gap := time.Second / time.Duration(perSecond)
	next := call{at: time.Now()}
	for end := next.at.Add(took); next.at.Before(end); next = (call{next.at.Add(gap), next.i + 1}) {
		time.Sleep(time.Until(next.at))
		due <- next
	}
	close(due)
	all.Wait()
	return times, failed
}

func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(int(q*float64(len(times))), len(times)-1)]
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}
