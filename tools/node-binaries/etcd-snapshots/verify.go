package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What a snapshot turned out to be once an etcd had it.
type verified struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Below /registry.
	Keys int64 `json:"keys"`
	// Of the namespace kube-system: the cluster's own mark. Empty where there is none, or it is encrypted.
	ClusterUID string `json:"clusterUid"`
}

var uid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

var count = regexp.MustCompile(`"Count" : (\d+)`)

// Restores the snapshot into an etcd of its own that nobody but root reaches, and looks into it.
func verify(ctx context.Context, dir, path string) (verified, error) {
	var found verified
	info, err := os.Stat(path)
	if err != nil {
		return found, err
	}
	found.Name = strings.TrimSuffix(info.Name(), ".db")
	found.Bytes = info.Size()
	if err := hasSpace(dir, info.Size()*6/5+(64<<20)); err != nil {
		return found, err
	}
	if found.SHA256, err = checksum(path); err != nil {
		return found, err
	}
	// Short: the name of a socket has its limits.
	scratch, err := os.MkdirTemp(dir, ".v")
	if err != nil {
		return found, err
	}
	defer os.RemoveAll(scratch)
	data := scratch + "/data"
	if _, err := command(ctx, "etcdutl", "snapshot", "restore", path, "--data-dir", data,
		"--name", "scratch", "--initial-cluster", "scratch=http://127.0.0.1:1",
		"--initial-advertise-peer-urls", "http://127.0.0.1:1"); err != nil {
		return found, fmt.Errorf("%s can't be restored: %w", path, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := "unix://" + scratch + "/c"
	etcd := exec.CommandContext(ctx, "etcd", "--name", "scratch", "--data-dir", data,
		"--listen-client-urls", client, "--advertise-client-urls", "http://127.0.0.1:1",
		"--listen-peer-urls", "unix://"+scratch+"/p", "--initial-advertise-peer-urls", "http://127.0.0.1:1",
		"--initial-cluster", "scratch=http://127.0.0.1:1", "--log-level", "warn", "--unsafe-no-fsync")
	var said bytes.Buffer
	etcd.Stdout, etcd.Stderr = &said, &said
	etcd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := etcd.Start(); err != nil {
		return found, err
	}
	ended := make(chan error, 1)
	go func() { ended <- etcd.Wait() }()
	defer func() {
		cancel()
		<-ended
	}()
	for {
		out, err := command(ctx, "etcdctl", "--endpoints", client, "get", "/registry/", "--prefix", "--count-only", "--write-out", "fields")
		if err == nil {
			if answer := count.FindSubmatch(out); answer != nil {
				found.Keys, _ = strconv.ParseInt(string(answer[1]), 10, 64)
			}
			break
		}
		select {
		case <-ended:
			ended <- nil
			return found, fmt.Errorf("%s: etcd does not start with it: %s", path, tail(said.String()))
		case <-ctx.Done():
			return found, fmt.Errorf("%s: etcd does not answer with it: %w", path, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	out, err := command(ctx, "etcdctl", "--endpoints", client, "get", "/registry/namespaces/kube-system", "--print-value-only")
	if err != nil {
		return found, err
	}
	found.ClusterUID = string(uid.Find(out))
	if found.Keys == 0 {
		return found, fmt.Errorf("%s: there is nothing of Kubernetes in it", path)
	}
	return found, nil
}

func checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func hasSpace(dir string, bytes int64) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return err
	}
	if free := int64(stat.Bavail) * stat.Bsize; free < bytes {
		return fmt.Errorf("%d MiB are free in %s; %d MiB are needed", free>>20, dir, bytes>>20)
	}
	return nil
}

// Runs a program of the bundle, which is first in PATH.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		return out, errors.New(tail(strings.TrimPrefix(lines[len(lines)-1], "Error: ")))
	}
	return out, err
}

func tail(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 600 {
		text = text[len(text)-600:]
	}
	return text
}
