// kube-lb is a TCP balancer in front of the control planes of one cluster. New connections go to a backend that answers,
// the local one first; what runs over a backend that stopped answering is cut, so that its clients come back to another.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	checkEvery   = time.Second
	checkTimeout = 2 * time.Second
	// Failed checks in a row after which a backend is down; one good one brings it back.
	failuresToDown = 2
)

type backend struct {
	address string
	up      atomic.Bool
	// Whether it says itself that it takes requests: not while it starts or ends.
	ready    atomic.Bool
	asker    *http.Client
	failures int
	mutex    sync.Mutex
	open     map[net.Conn]struct{}
}

func (b *backend) add(conn net.Conn) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.open[conn] = struct{}{}
}

func (b *backend) remove(conn net.Conn) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.open, conn)
}

func (b *backend) cut() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for conn := range b.open {
		conn.Close()
	}
}

// check asks for a TLS handshake: a process that hangs still accepts connections, by its kernel.
func (b *backend) check(ctx context.Context) bool {
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: checkTimeout}, Config: &tls.Config{InsecureSkipVerify: true}}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", b.address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// isReady asks it as a client that it knows; true where there is no such client.
func (b *backend) isReady(ctx context.Context) bool {
	if b.asker == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+b.address+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := b.asker.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	return response.StatusCode == http.StatusOK
}

func (b *backend) watch(ctx context.Context) {
	for ctx.Err() == nil {
		ready := b.isReady(ctx)
		if b.ready.Swap(ready) != ready {
			log.Printf("%s is ready: %v", b.address, ready)
		}
		// What answers whether it is ready has made a handshake.
		if (ready && b.asker != nil) || b.check(ctx) {
			b.failures = 0
			if !b.up.Swap(true) {
				log.Printf("%s answers", b.address)
			}
		} else if b.failures++; b.failures >= failuresToDown && b.up.Swap(false) {
			log.Printf("%s does not answer any more", b.address)
			b.cut()
		}
		select {
		case <-ctx.Done():
		case <-time.After(checkEvery):
		}
	}
}

type balancer struct {
	backends []*backend
	next     atomic.Uint64
	local    string
}

// order gives all backends, the ones to try first in front: local, ready, up, the rest, each group in turn.
func (l *balancer) order() []*backend {
	start := int(l.next.Add(1) % uint64(len(l.backends)))
	var local, ready, up, rest []*backend
	for i := range l.backends {
		b := l.backends[(start+i)%len(l.backends)]
		switch {
		case b.up.Load() && b.ready.Load() && b.address == l.local:
			local = append(local, b)
		case b.up.Load() && b.ready.Load():
			ready = append(ready, b)
		case b.up.Load():
			up = append(up, b)
		default:
			rest = append(rest, b)
		}
	}
	return slices.Concat(local, ready, up, rest)
}

func (l *balancer) serve(client net.Conn) {
	defer client.Close()
	for _, b := range l.order() {
		server, err := net.DialTimeout("tcp", b.address, checkTimeout)
		if err != nil {
			continue
		}
		b.add(server)
		done := make(chan struct{}, 2)
		pipe := func(to, from net.Conn) {
			io.Copy(to, from)
			if half, ok := to.(*net.TCPConn); ok {
				half.CloseWrite()
			}
			done <- struct{}{}
		}
		go pipe(server, client)
		go pipe(client, server)
		<-done
		<-done
		b.remove(server)
		server.Close()
		return
	}
}

// asker makes a connection for every question, as whom the file names then: its certificate is renewed while this runs.
func asker(kubeconfig string) *http.Client {
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		text, err := os.ReadFile(kubeconfig)
		if err != nil {
			return nil, err
		}
		// JSON, as Drover writes it.
		var file struct {
			Users []struct {
				User struct {
					Cert []byte `json:"client-certificate-data"`
					Key  []byte `json:"client-key-data"`
				}
			}
		}
		if err := json.Unmarshal(text, &file); err != nil {
			return nil, err
		}
		if len(file.Users) != 1 {
			return nil, fmt.Errorf("%s has %d users", kubeconfig, len(file.Users))
		}
		pair, err := tls.X509KeyPair(file.Users[0].User.Cert, file.Users[0].User.Key)
		return &pair, err
	}
	config := &tls.Config{InsecureSkipVerify: true, GetClientCertificate: load}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:6444", "address to listen on")
	backends := flag.String("backends", "", "addresses of the control planes, comma-separated")
	local := flag.String("local", "", "the one of them on this host, which is preferred")
	kubeconfig := flag.String("kubeconfig", "", "as its user each is asked whether it is ready; without, a handshake is enough")
	flag.Parse()
	log.SetFlags(0)
	if *backends == "" {
		fmt.Fprintln(os.Stderr, "kube-lb: --backends names no control plane")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	l := &balancer{local: *local}
	for _, address := range strings.Split(*backends, ",") {
		b := &backend{address: address, open: map[net.Conn]struct{}{}}
		if *kubeconfig != "" {
			b.asker = asker(*kubeconfig)
		}
		l.backends = append(l.backends, b)
		go b.watch(ctx)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatalf("kube-lb: %v", err)
	}
	go func() {
		<-ctx.Done()
		listener.Close()
	}()
	for {
		client, err := listener.Accept()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			// Out of descriptors for a moment: those that wait are taken when some are free.
			time.Sleep(50 * time.Millisecond)
			continue
		}
		go l.serve(client)
	}
}
