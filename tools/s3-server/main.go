// A server that speaks S3, for tests: objects in memory, one pair of keys, TLS where a certificate is given. Requests whose signature is
// not the one of the secret key are refused as AWS does.
package main

import (
	"context"
	"encoding/xml"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func main() {
	bucket := flag.String("bucket", "snapshots", "made at the start")
	cert := flag.String("tls-cert", "", "file")
	key := flag.String("tls-key", "", "file")
	breakAfter := flag.Int64("break-after", 0, "cuts each connection once it has sent this many bytes of a body")
	flag.Parse()
	backend := s3mem.New()
	if err := backend.CreateBucket(*bucket); err != nil {
		log.Fatal(err)
	}
	guarded := guard{
		next:   gofakes3.New(backend, gofakes3.WithAutoBucket(false)).Server(),
		access: os.Getenv("S3_ACCESS_KEY"), secret: os.Getenv("S3_SECRET_KEY"),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if flag.NArg() > 0 {
		listener, err = net.Listen("tcp", flag.Arg(0))
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %s\n", listener.Addr())
	server := &http.Server{Handler: guarded}
	if *breakAfter > 0 {
		server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context { return ctx }
		listener = &breaking{listener, *breakAfter}
	}
	if *cert != "" {
		log.Fatal(server.ServeTLS(listener, *cert, *key))
	}
	log.Fatal(server.Serve(listener))
}

// Cuts connections that bring too much: an upload that is interrupted.
type breaking struct {
	net.Listener
	after int64
}

func (b *breaking) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	return &cut{Conn: conn, left: b.after}, err
}

type cut struct {
	net.Conn
	left int64
}

func (c *cut) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	if c.left -= int64(n); c.left < 0 {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

type guard struct {
	next           http.Handler
	access, secret string
}

func (g guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if code := g.judge(r); code != "" {
		w.WriteHeader(http.StatusForbidden)
		_ = xml.NewEncoder(w).Encode(struct {
			XMLName xml.Name `xml:"Error"`
			Code    string
		}{Code: code})
		return
	}
	g.next.ServeHTTP(w, r)
}

// AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/s3/aws4_request, SignedHeaders=a;b, Signature=HEX
func (g guard) judge(r *http.Request) string {
	parts := map[string]string{}
	given := r.Header.Get("Authorization")
	for _, part := range strings.Split(strings.TrimPrefix(given, "AWS4-HMAC-SHA256 "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if len(scope) != 5 || err != nil {
		return "AccessDenied"
	}
	if scope[0] != g.access {
		return "InvalidAccessKeyId"
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), nil)
	if err != nil {
		return "AccessDenied"
	}
	for _, name := range strings.Split(parts["SignedHeaders"], ";") {
		if name == "content-length" {
			again.ContentLength, _ = strconv.ParseInt(r.Header.Get(name), 10, 64)
		}
		if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	again.Host = r.Host
	keys := aws.Credentials{AccessKeyID: g.access, SecretAccessKey: g.secret}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if err := signer.SignHTTP(context.Background(), keys, again, payload, scope[3], scope[2], at); err != nil {
		return "AccessDenied"
	}
	if again.Header.Get("Authorization") != strings.ReplaceAll(given, ",", ", ") && again.Header.Get("Authorization") != given {
		return "SignatureDoesNotMatch"
	}
	return ""
}
