package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rancher/remotedialer"
)

// serveLoad makes the work of the benchmark in this process: kind=short opens a stream for each request, kept keeps
// `connections` of them, bulk reads `bytes` once, idle opens `connections` streams and leaves them open.
func serveLoad(server *remotedialer.Server, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(q.Get(name), 10, 64)
		return n
	}
	dial := func() (net.Conn, error) {
		return server.Dialer(q.Get("key"))(context.Background(), "tcp", q.Get("address"))
	}
	start := time.Now()
	var done, failed atomic.Int64
	deadline := start.Add(time.Duration(number("ms")) * time.Millisecond)
	var wg sync.WaitGroup
	for range number("connections") {
		wg.Add(1)
		go func() {
			defer wg.Done()
			switch q.Get("kind") {
			case "short":
				for time.Now().Before(deadline) {
					if err := short(dial); err != nil {
						failed.Add(1)
					} else {
						done.Add(1)
					}
				}
			case "kept":
				kept(dial, deadline, &done, &failed)
			case "bulk":
				n, err := bulk(dial, number("bytes"))
				done.Add(n)
				if err != nil {
					failed.Add(1)
				}
			case "idle":
				if conn, err := dial(); err == nil {
					conn.Write([]byte("echo\nx"))
					io.ReadFull(conn, make([]byte, 1))
					done.Add(1)
				}
			}
		}()
	}
	wg.Wait()
	json.NewEncoder(w).Encode(map[string]any{
		"done": done.Load(), "failed": failed.Load(), "ms": float64(time.Since(start).Microseconds()) / 1000,
	})
}

const answerBytes = 1024

func short(dial func() (net.Conn, error)) error {
	conn, err := dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "rr %d\nask\n", answerBytes); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, answerBytes))
	return err
}

func kept(dial func() (net.Conn, error), deadline time.Time, done, failed *atomic.Int64) {
	conn, err := dial()
	if err != nil {
		failed.Add(1)
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "rr %d\n", answerBytes)
	answer := make([]byte, answerBytes)
	for time.Now().Before(deadline) {
		conn.Write([]byte("GET /api/v1/namespaces/default/pods and a header or two, 100 bytes or so with all of it together\n"))
		if _, err := io.ReadFull(conn, answer); err != nil {
			failed.Add(1)
			return
		}
		done.Add(1)
	}
}

func bulk(dial func() (net.Conn, error), bytes int64) (int64, error) {
	conn, err := dial()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "source %d\n", bytes)
	return io.CopyBuffer(io.Discard, io.LimitReader(conn, bytes), make([]byte, 64*1024))
}
