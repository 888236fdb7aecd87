package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	"github.com/rancher/remotedialer"
)

var (
	certFile    = flag.String("cert-file", "", "proxy: certificate to serve with")
	keyFile     = flag.String("key-file", "", "proxy: its key")
	target      = flag.String("target", "", "proxy: https://HOST:PORT to forward to, as the client at the far end dials it")
	tokenFile   = flag.String("token-file", "", "proxy: bearer token for the target")
	bearerFile  = flag.String("bearer-file", "", "proxy: the token that who asks must show")
	impersonate = flag.String("impersonate", "", "proxy: user to impersonate at the target")
)

func trust(path string) *tls.Config {
	if path == "" {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(path))
	return &tls.Config{RootCAs: roots}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return data
}

// runProxy does what a cluster proxy does: TLS, a token looked at, one identity for another, and the request on its way
// through the tunnel.
func runProxy() {
	server := remotedialer.New(func(req *http.Request) (string, bool, error) {
		k := req.Header.Get("X-Key")
		return k, k != "", nil
	}, remotedialer.DefaultErrorWriter)
	to, err := url.Parse(*target)
	if err != nil {
		log.Fatal(err)
	}
	bearer := sha256.Sum256(read(*bearerFile))
	token := "Bearer " + strings.TrimSpace(string(read(*tokenFile)))
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			for name := range r.Out.Header {
				if strings.HasPrefix(name, "Impersonate-") {
					r.Out.Header.Del(name)
				}
			}
			r.Out.Header.Set("Impersonate-User", *impersonate)
			r.Out.Header.Set("Impersonate-Group", "system:authenticated")
			r.Out.Header.Set("Authorization", token)
		},
		FlushInterval: -1,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return server.Dialer(*key)(ctx, network, address)
			},
			TLSClientConfig:     trust(*caFile),
			MaxIdleConnsPerHost: 64,
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/connect", server)
	mux.Handle("/proxy/", http.StripPrefix("/proxy", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
		if subtle.ConstantTimeCompare(shown[:], bearer[:]) != 1 {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		forward.ServeHTTP(w, r)
	})))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %s\n", l.Addr())
	// HTTP/1.1 on both sides, as the other servers of the comparison.
	https := &http.Server{Handler: mux, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	log.Fatal(https.ServeTLS(l, *certFile, *keyFile))
}
