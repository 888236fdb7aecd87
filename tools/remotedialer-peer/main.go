// Command remotedialer-peer is the real Go remotedialer in a small program, the peer of our tunnel's tests and
// benchmarks: a server, a client, or the backend that both tunnels lead to. It prints "listening HOST:PORT" once it is up.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rancher/remotedialer"
)

var (
	mode      = flag.String("mode", "", "server, client, backend or proxy")
	serverURL = flag.String("url", "", "client: the server to dial, ws://HOST:PORT/path")
	key       = flag.String("key", "c-one", "client: sent as X-Key, the client key")
	allow     = flag.String("allow", "", "client: prefix of the addresses that may be dialled; others end the session")
	peerID    = flag.String("peer-id", "", "server: own id towards peers")
	peerToken = flag.String("peer-token", "", "server: own token towards peers, and the one that peers must show")
	peers     = flag.String("peers", "", "server: id=url,… of peers to dial")
	headers   = http.Header{}
	caFile    = flag.String("ca-file", "", "client: CA of a server with wss://; proxy: CA of the target")
)

func init() {
	flag.Func("header", "client: sent when dialling, Name: value; may be repeated", func(text string) error {
		name, value, ok := strings.Cut(text, ": ")
		if !ok {
			return fmt.Errorf("needs to be Name: value")
		}
		headers.Add(name, value)
		return nil
	})
}

func main() {
	flag.Parse()
	switch *mode {
	case "server":
		runServer()
	case "client":
		runClient()
	case "backend":
		runBackend()
	case "proxy":
		runProxy()
	default:
		log.Fatal("-mode needs to be server, client, backend or proxy")
	}
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %s\n", l.Addr())
	return l
}

func runServer() {
	server := remotedialer.New(func(req *http.Request) (string, bool, error) {
		k := req.Header.Get("X-Key")
		return k, k != "", nil
	}, remotedialer.DefaultErrorWriter)
	server.PeerID, server.PeerToken = *peerID, *peerToken
	mux := http.NewServeMux()
	mux.Handle("/connect", server)
	mux.HandleFunc("/has", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, server.HasSession(r.URL.Query().Get("key")))
	})
	// /dial?key=&address= turns the connection into a raw stream through the tunnel.
	mux.HandleFunc("/dial", func(w http.ResponseWriter, r *http.Request) {
		conn, err := server.Dialer(r.URL.Query().Get("key"))(r.Context(), "tcp", r.URL.Query().Get("address"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		raw, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(raw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
		go func() {
			io.Copy(conn, raw)
			conn.Close()
			raw.Close()
		}()
		io.Copy(raw, conn)
		raw.Close()
		conn.Close()
	})
	mux.HandleFunc("/load", func(w http.ResponseWriter, r *http.Request) { serveLoad(server, w, r) })
	l := listen()
	for _, entry := range strings.Split(*peers, ",") {
		if id, url, ok := strings.Cut(entry, "="); ok {
			server.AddPeer(url, id, *peerToken)
		}
	}
	log.Fatal(http.Serve(l, mux))
}

func runClient() {
	headers.Set("X-Key", *key)
	for {
		err := remotedialer.ConnectToProxy(context.Background(), *serverURL, headers,
			func(proto, address string) bool { return strings.HasPrefix(address, *allow) },
			&websocket.Dialer{HandshakeTimeout: 10 * time.Second, TLSClientConfig: trust(*caFile)},
			func(context.Context, *remotedialer.Session) error { fmt.Println("connected"); return nil })
		log.Print("disconnected: ", err)
		time.Sleep(100 * time.Millisecond)
	}
}
