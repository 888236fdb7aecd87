package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	snapshotSuffix = ".db"
	stateSuffix    = ".rkestate"
	sumKey         = "Sha256"
)

// A folder of a bucket.
type store struct {
	client *minio.Client
	given  s3Settings
}

func openStore(given s3Settings) (*store, error) {
	secure := !strings.HasPrefix(given.Endpoint, "http://")
	host := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(given.Endpoint, "https://"), "http://"), "/")
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	if given.CustomCA != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(given.CustomCA)) {
			return nil, errors.New("custom_ca has no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	transport.ResponseHeaderTimeout = time.Minute
	// Without keys it is the machine's own role that may write there.
	keys := credentials.NewIAM("")
	if given.AccessKey != "" {
		keys = credentials.NewStaticV4(given.AccessKey, given.SecretKey, "")
	}
	client, err := minio.New(host, &minio.Options{
		Creds: keys, Secure: secure, Region: given.Region, Transport: http.RoundTripper(transport), MaxRetries: 3,
	})
	if err != nil {
		return nil, err
	}
	return &store{client: client, given: given}, nil
}

func (s *store) key(name string) string { return path.Join(s.given.Folder, name) }

func (s *store) send(ctx context.Context, from string, as string) error {
	sum, err := checksum(from)
	if err != nil {
		return err
	}
	key := s.key(as + snapshotSuffix)
	// Parts of one that broke off are paid for and can't be seen.
	_ = s.client.RemoveIncompleteUpload(ctx, s.given.Bucket, key)
	_, err = s.client.FPutObject(ctx, s.given.Bucket, key, from, minio.PutObjectOptions{
		ContentType:  "application/octet-stream",
		UserMetadata: map[string]string{sumKey: sum},
		PartSize:     16 << 20,
	})
	if err != nil {
		_ = s.client.RemoveIncompleteUpload(context.WithoutCancel(ctx), s.given.Bucket, key)
	}
	return s.explain("send "+key, err)
}

// Writes it beside its name first: what breaks off is never taken for a snapshot.
func (s *store) fetch(ctx context.Context, name, to string) error {
	key := s.key(name + snapshotSuffix)
	got, err := s.client.GetObject(ctx, s.given.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return s.explain("fetch "+key, err)
	}
	defer got.Close()
	info, err := got.Stat()
	if err != nil {
		return s.explain("fetch "+key, err)
	}
	if err := hasSpace(path.Dir(to), info.Size); err != nil {
		return err
	}
	part := path.Dir(to) + "/." + path.Base(to) + ".part"
	defer os.Remove(part)
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, got)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return s.explain("fetch "+key, err)
	}
	sum, err := checksum(part)
	if err != nil {
		return err
	}
	if wanted := info.UserMetadata[sumKey]; wanted != "" && wanted != sum {
		return fmt.Errorf("%s is not what was sent: its checksum is %s, %s was noted", key, sum[:16], wanted[:min(16, len(wanted))])
	}
	return os.Rename(part, to)
}

func (s *store) list(ctx context.Context) ([]entry, error) {
	var found []entry
	prefix := s.given.Folder
	if prefix != "" {
		prefix = strings.Trim(prefix, "/") + "/"
	}
	for info := range s.client.ListObjects(ctx, s.given.Bucket, minio.ListObjectsOptions{Prefix: prefix}) {
		if info.Err != nil {
			return nil, s.explain("list", info.Err)
		}
		name := strings.TrimPrefix(info.Key, prefix)
		if strings.HasSuffix(name, snapshotSuffix) && !strings.Contains(name, "/") {
			found = append(found, entry{strings.TrimSuffix(name, snapshotSuffix), info.Size, info.LastModified.UTC(), "s3"})
		}
	}
	return found, nil
}

func (s *store) remove(ctx context.Context, name string) error {
	for _, suffix := range []string{snapshotSuffix, stateSuffix} {
		if err := s.client.RemoveObject(ctx, s.given.Bucket, s.key(name+suffix), minio.RemoveObjectOptions{}); err != nil {
			return s.explain("remove "+s.key(name+suffix), err)
		}
	}
	return nil
}

func (s *store) putState(ctx context.Context, name string, state []byte) error {
	key := s.key(name + stateSuffix)
	_, err := s.client.PutObject(ctx, s.given.Bucket, key, bytes.NewReader(state), int64(len(state)), minio.PutObjectOptions{})
	return s.explain("send "+key, err)
}

func (s *store) getState(ctx context.Context, name string) ([]byte, error) {
	key := s.key(name + stateSuffix)
	got, err := s.client.GetObject(ctx, s.given.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.explain("fetch "+key, err)
	}
	defer got.Close()
	state, err := io.ReadAll(io.LimitReader(got, 64<<20))
	return state, s.explain("fetch "+key, err)
}

// What to look at, in words; what a library says of requests may be long and is not for people.
func (s *store) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	at := s.given.Endpoint
	say := func(format string, args ...any) error {
		return fmt.Errorf("S3 at %s, %s: %s", at, doing, fmt.Sprintf(format, args...))
	}
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return say("its certificate is signed by nobody known: give its authority as custom_ca")
	case errors.As(err, &wrongName):
		return say("its certificate is for other names: %v", wrongName)
	case errors.As(err, &notTLS):
		return say("it does not speak TLS (write http:// before the endpoint where that is meant)")
	case errors.Is(err, context.DeadlineExceeded):
		return say("it took too long")
	}
	switch answer := minio.ToErrorResponse(err); answer.Code {
	case "NoSuchBucket":
		return say("there is no bucket %s", s.given.Bucket)
	case "NoSuchKey":
		return say("there is no such snapshot")
	case "InvalidAccessKeyId":
		return say("it does not know the access key")
	case "SignatureDoesNotMatch":
		return say("the secret key is not the one of the access key")
	case "AccessDenied":
		return say("access to the bucket %s is denied", s.given.Bucket)
	default:
		return say("%v", err)
	}
}
