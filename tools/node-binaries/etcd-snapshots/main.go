// Snapshots of etcd on the host that has a member: made, verified by restoring them into a scratch etcd, kept, sent to S3 and fetched
// from there. Settings with their secrets come from a file for root alone or from standard input, never from the command line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type settings struct {
	// Where snapshots lie on this host.
	Dir string `json:"dir"`
	// Of the cluster; recurring snapshots in S3 begin with it.
	Cluster string `json:"cluster"`
	Etcd    struct {
		Endpoint string `json:"endpoint"`
		CA       string `json:"ca"`
		Cert     string `json:"cert"`
		Key      string `json:"key"`
	} `json:"etcd"`
	IntervalSeconds int  `json:"intervalSeconds"`
	Retention       int  `json:"retention"`
	TimeoutSeconds  int  `json:"timeoutSeconds"`
	SafeTimestamp   bool `json:"safeTimestamp"`
	// Absent: snapshots stay on this host.
	S3 *s3Settings `json:"s3"`
}

type s3Settings struct {
	Endpoint  string `json:"endpoint"`
	Bucket    string `json:"bucket"`
	Region    string `json:"region"`
	Folder    string `json:"folder"`
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
	// PEM.
	CustomCA string `json:"customCa"`
}

const usage = `usage: etcd-snapshots [--settings FILE|-] loop | save NAME | send NAME | verify NAME | list | fetch NAME | remove NAME | put-state NAME | get-state NAME`

func main() {
	path := flag.String("settings", "-", "file with the settings; -: the first line of standard input")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *path, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, args []string) error {
	if len(args) == 0 || len(args) > 2 {
		return errors.New(usage)
	}
	given, rest, err := readSettings(path)
	if err != nil {
		return err
	}
	name := ""
	if len(args) == 2 {
		name = args[1]
	}
	if err := checkName(args[0], name); err != nil {
		return err
	}
	if args[0] == "loop" {
		return loop(ctx, given)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(given.TimeoutSeconds)*time.Second)
	defer cancel()
	switch args[0] {
	case "save":
		return printed(save(ctx, given, name))
	case "send":
		return send(ctx, given, name, name)
	case "verify":
		return printed(verify(ctx, given.Dir, given.file(name)))
	case "list":
		return printed(list(ctx, given))
	case "fetch":
		return printed(fetch(ctx, given, name))
	case "remove":
		return remove(ctx, given, name)
	case "put-state":
		return putState(ctx, given, name, rest)
	case "get-state":
		return getState(ctx, given, name)
	}
	return errors.New(usage)
}

func (s settings) file(name string) string { return s.Dir + "/" + name + ".db" }

func checkName(command, name string) error {
	if command == "loop" || command == "list" {
		return nil
	}
	for _, r := range name {
		if r == '/' || r < ' ' {
			return fmt.Errorf("%q is no name of a snapshot", name)
		}
	}
	if name == "" || name[0] == '.' {
		return fmt.Errorf("%q is no name of a snapshot", name)
	}
	return nil
}

// What follows the first line of standard input is left to be read.
func readSettings(path string) (settings, io.Reader, error) {
	var given settings
	var from io.Reader = os.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return given, nil, err
		}
		defer file.Close()
		from = file
	}
	decoder := json.NewDecoder(from)
	if err := decoder.Decode(&given); err != nil {
		return given, nil, fmt.Errorf("settings can't be read: %w", err)
	}
	if given.TimeoutSeconds <= 0 {
		given.TimeoutSeconds = 300
	}
	return given, io.MultiReader(decoder.Buffered(), os.Stdin), nil
}

func printed[T any](value T, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(value)
}
