// network-policy enforces the network policies of the pods of one node: what Kubernetes says becomes one table of nftables, replaced
// as a whole whenever it changes. The kernel goes on with the last one while this program is down or started anew.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log.SetFlags(0)
	node := flag.String("node", "", "name of this node")
	kubeconfig := flag.String("kubeconfig", "", "how the cluster is asked")
	listen := flag.String("listen", "127.0.0.1:10246", "where /healthz answers")
	nft := flag.String("nft", "nft", "the program that sets rules")
	objects := flag.String("objects", "", "a JSON list of objects: prints the rules that they give, and changes nothing")
	flag.Parse()
	if *node == "" {
		fmt.Fprintln(os.Stderr, "network-policy: --node is needed")
		os.Exit(2)
	}
	if *objects != "" {
		world, err := readWorld(*objects)
		if err != nil {
			log.Fatalf("network-policy: %v", err)
		}
		fmt.Print(compile(*node, world))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	watched, err := watchWorld(ctx, *kubeconfig)
	if err != nil {
		log.Fatalf("network-policy: %v", err)
	}
	if err := keep(ctx, keeping{node: *node, listen: *listen, nft: *nft, watched: watched}); err != nil {
		log.Fatalf("network-policy: %v", err)
	}
}
