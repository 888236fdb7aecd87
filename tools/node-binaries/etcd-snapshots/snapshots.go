package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"
)

// One snapshot as others are told of it.
type entry struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	Made  time.Time `json:"made"`
	// Where: "host" or "s3".
	Place string `json:"place"`
}

// Recurring ones, which retention is for; what a person made stays until he removes it.
const recurring = "_etcd"

// Makes one and verifies it; nothing of its name is seen before that.
func save(ctx context.Context, given settings, name string) (verified, error) {
	var made verified
	if err := os.MkdirAll(given.Dir, 0o700); err != nil {
		return made, err
	}
	if err := os.Chmod(given.Dir, 0o700); err != nil {
		return made, err
	}
	part := given.Dir + "/." + name + ".part"
	defer os.Remove(part)
	defer os.Remove(part + ".part")
	flags := []string{"--endpoints", given.Etcd.Endpoint}
	if given.Etcd.CA != "" {
		flags = append(flags, "--cacert", given.Etcd.CA, "--cert", given.Etcd.Cert, "--key", given.Etcd.Key)
	}
	if _, err := command(ctx, "etcdctl", append(flags, "snapshot", "save", part)...); err != nil {
		return made, fmt.Errorf("no snapshot could be made: %w", err)
	}
	if err := os.Chmod(part, 0o600); err != nil {
		return made, err
	}
	made, err := verify(ctx, given.Dir, part)
	if err != nil {
		return made, err
	}
	made.Name = name
	return made, os.Rename(part, given.file(name))
}

func send(ctx context.Context, given settings, name, as string) error {
	to, err := given.store()
	if err != nil {
		return err
	}
	return to.send(ctx, given.file(name), as)
}

func (s settings) store() (*store, error) {
	if s.S3 == nil {
		return nil, errors.New("the settings name no S3")
	}
	return openStore(*s.S3)
}

func list(ctx context.Context, given settings) ([]entry, error) {
	found := []entry{}
	files, err := os.ReadDir(given.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || !file.Type().IsRegular() || strings.HasPrefix(file.Name(), ".") || !strings.HasSuffix(file.Name(), snapshotSuffix) {
			continue
		}
		found = append(found, entry{strings.TrimSuffix(file.Name(), snapshotSuffix), info.Size(), info.ModTime().UTC(), "host"})
	}
	if given.S3 == nil {
		return found, nil
	}
	from, err := given.store()
	if err != nil {
		return nil, err
	}
	there, err := from.list(ctx)
	return append(found, there...), err
}

func fetch(ctx context.Context, given settings, name string) (verified, error) {
	if err := os.MkdirAll(given.Dir, 0o700); err != nil {
		return verified{}, err
	}
	from, err := given.store()
	if err != nil {
		return verified{}, err
	}
	if err := from.fetch(ctx, name, given.file(name)); err != nil {
		return verified{}, err
	}
	sum, err := checksum(given.file(name))
	return verified{Name: name, SHA256: sum}, err
}

func remove(ctx context.Context, given settings, name string) error {
	if err := os.Remove(given.file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if given.S3 == nil {
		return nil
	}
	from, err := given.store()
	if err != nil {
		return err
	}
	return from.remove(ctx, name)
}

func putState(ctx context.Context, given settings, name string, state io.Reader) error {
	text, err := io.ReadAll(state)
	if err != nil {
		return err
	}
	to, err := given.store()
	if err != nil {
		return err
	}
	return to.putState(ctx, name, text)
}

func getState(ctx context.Context, given settings, name string) error {
	from, err := given.store()
	if err != nil {
		return err
	}
	text, err := from.getState(ctx, name)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

// Makes one whenever the newest is old enough, for as long as it runs. Each host keeps its own; in S3 there is one of them all, sent
// by whoever comes first. What can't be sent is tried again until the next one is due.
func loop(ctx context.Context, given settings) error {
	every := time.Duration(given.IntervalSeconds) * time.Second
	began := entry{Made: time.Now()}
	failures := 0
	for {
		newest, err := newestHere(given, began)
		if err == nil && time.Since(newest.Made) >= every {
			if err = makeOne(ctx, given); err == nil {
				newest, err = newestHere(given, began)
			}
		}
		if err == nil && newest.Name != "" && given.S3 != nil {
			err = sendNewest(ctx, given, newest, every)
		}
		wait := time.Until(newest.Made.Add(every))
		if err == nil {
			failures = 0
		} else {
			wait = retryAfter(failures)
			failures++
			fmt.Fprintf(os.Stderr, "%v; the next try is in %v\n", err, wait.Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(wait, 0)):
		}
	}
}

// Where there is none yet, the first is due as if one had been made when this began.
func newestHere(given settings, began entry) (entry, error) {
	own, err := list(context.Background(), settings{Dir: given.Dir})
	if kept := recurringOf(own, ""); len(kept) > 0 {
		return kept[0], err
	}
	return began, err
}

func retryAfter(failures int) time.Duration { return time.Minute << min(failures, 4) }

func makeOne(ctx context.Context, given settings) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(given.TimeoutSeconds)*time.Second)
	defer cancel()
	layout := "2006-01-02T15:04:05Z"
	if given.SafeTimestamp {
		layout = "2006-01-02T15-04-05Z"
	}
	if _, err := save(ctx, given, time.Now().UTC().Format(layout)+recurring); err != nil {
		return err
	}
	own, err := list(ctx, settings{Dir: given.Dir})
	if err != nil {
		return err
	}
	for _, old := range beyond(recurringOf(own, ""), given.Retention) {
		if err := os.Remove(given.file(old.Name)); err != nil {
			return err
		}
	}
	return nil
}

func sendNewest(ctx context.Context, given settings, newest entry, every time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(given.TimeoutSeconds)*time.Second)
	defer cancel()
	to, err := given.store()
	if err != nil {
		return err
	}
	prefix := given.Cluster + "_"
	there, err := to.list(ctx)
	if err != nil {
		return err
	}
	kept := recurringOf(there, prefix)
	if len(kept) == 0 || newest.Made.Sub(kept[0].Made) > every/2 {
		if err := to.send(ctx, given.file(newest.Name), prefix+newest.Name); err != nil {
			return err
		}
		kept = append([]entry{{Name: prefix + newest.Name}}, kept...)
	}
	for _, old := range beyond(kept, given.Retention) {
		if err := to.remove(ctx, old.Name); err != nil {
			return err
		}
	}
	return nil
}

func beyond(all []entry, most int) []entry { return all[min(most, len(all)):] }

// The newest first.
func recurringOf(all []entry, prefix string) []entry {
	var found []entry
	for _, one := range all {
		if strings.HasPrefix(one.Name, prefix) && strings.HasSuffix(one.Name, recurring) {
			found = append(found, one)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Made.After(found[j].Made) })
	return found
}
