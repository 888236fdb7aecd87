package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// Changes come in flocks: pods of one deployment, policies of one file.
	gatherFor = 100 * time.Millisecond
	// Others may flush all rules of a host; how soon that is mended.
	lookEvery = 10 * time.Second
	retryIn   = 2 * time.Second
	nftWithin = 30 * time.Second
)

type keeping struct {
	node, listen, nft string
	watched           *watched
}

// keep brings the kernel's rules to what the cluster says, until ctx ends; rules stay then.
func keep(ctx context.Context, k keeping) error {
	// Why the rules are not what they should be; empty when they are.
	var problem atomic.Value
	problem.Store("the cluster was not seen yet")
	server := &http.Server{Addr: k.listen, ReadHeaderTimeout: 5 * time.Second}
	server.Handler = http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		if reason := problem.Load().(string); reason != "" {
			http.Error(response, reason, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(response, "ok")
	})
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	defer server.Close()

	if !k.watched.wait(ctx) {
		return nil
	}
	applied := ""
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-k.watched.changed:
			// A timer that was already due is not lost: all is looked at below either way.
			if !sleep(ctx, gatherFor) {
				return nil
			}
		case <-again.C:
			if applied != "" && !k.isThere(ctx) {
				log.Print("somebody removed the rules: they are set again")
				applied = ""
			}
		}
		next := lookEvery
		if rules := compile(k.node, k.watched.world()); rules != applied {
			if err := k.apply(ctx, rules); err != nil {
				log.Printf("rules can't be set: %v", err)
				problem.Store(err.Error())
				next = retryIn
			} else {
				log.Printf("%d lines of rules are set", strings.Count(rules, "\n"))
				applied = rules
				problem.Store("")
			}
		}
		again.Reset(next)
	}
}

func (k keeping) apply(ctx context.Context, rules string) error {
	ctx, cancel := context.WithTimeout(ctx, nftWithin)
	defer cancel()
	command := exec.CommandContext(ctx, k.nft, "-f", "-")
	command.Stdin = strings.NewReader(rules)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return errors.Join(err, errors.New(said.String()[:min(said.Len(), 2000)]))
	}
	return nil
}

func (k keeping) isThere(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, nftWithin)
	defer cancel()
	return exec.CommandContext(ctx, k.nft, append([]string{"list", "chain"}, strings.Fields(table+" forward")...)...).Run() == nil
}

func sleep(ctx context.Context, how time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(how):
		return true
	}
}
