// api-load asks and changes a cluster without a pause, with Kubernetes' own client and nothing around it: an error that the client gives
// is told, not tried again. One JSON object a line: {"get":…} for every question, {"ack":…} for every write that was acknowledged, {"read":…}
// for what was read back.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// As kubectl and controllers do, each question has an end.
const within = 30 * time.Second

type line struct {
	At    int64  `json:"at"`
	Get   string `json:"get,omitempty"`
	Ack   string `json:"ack,omitempty"`
	Read  string `json:"read,omitempty"`
	Value int    `json:"value,omitempty"`
	Ms    int64  `json:"ms,omitempty"`
	Error string `json:"error,omitempty"`
}

var output = struct {
	sync.Mutex
	*json.Encoder
}{Encoder: json.NewEncoder(os.Stdout)}

func say(l line) {
	output.Lock()
	defer output.Unlock()
	l.At = time.Now().UnixMilli()
	output.Encode(l)
}

func main() {
	log.SetFlags(0)
	kubeconfig := flag.String("kubeconfig", "", "how the cluster is reached")
	perSecond := flag.Int("gets", 10, "questions a second")
	writers := flag.Int("writers", 4, "how many write, each one object of its own")
	flag.Parse()
	client, err := connect(*kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var running sync.WaitGroup
	for i := range *writers {
		running.Go(func() { write(ctx, client, fmt.Sprintf("load-%d", i)) })
	}
	ticks := time.NewTicker(time.Second / time.Duration(*perSecond))
	defer ticks.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticks.C:
			// Beside each other: a slow one keeps none of the others waiting.
			running.Go(func() { get(client) })
		}
	}
	running.Wait()
}

func connect(kubeconfig string) (*rest.RESTClient, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := core.AddToScheme(scheme); err != nil {
		return nil, err
	}
	meta.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.APIPath, config.GroupVersion = "/api", &core.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.QPS, config.Burst = 1000, 1000
	return rest.RESTClientFor(config)
}

func get(client *rest.RESTClient) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := client.Get().Resource("namespaces").Name("default").Do(ctx).Error()
	say(line{Get: "default", Ms: time.Since(began).Milliseconds(), Error: text(err)})
}

// write raises a number in an object of its own, and reads it back: what was acknowledged may never be less again.
func write(ctx context.Context, client *rest.RESTClient, name string) {
	for value := 1; ctx.Err() == nil; value++ {
		if err := put(client, name, value); err != nil {
			say(line{Ack: name, Value: value, Error: err.Error()})
		} else {
			say(line{Ack: name, Value: value})
		}
		if found, err := read(client, name); err != nil {
			say(line{Read: name, Error: err.Error()})
		} else {
			say(line{Read: name, Value: found})
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func put(client *rest.RESTClient, name string, value int) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	object := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: name}, Data: map[string]string{"value": strconv.Itoa(value)}}
	if value == 1 {
		return client.Post().Namespace("default").Resource("configmaps").Body(object).Do(ctx).Error()
	}
	return client.Put().Namespace("default").Resource("configmaps").Name(name).Body(object).Do(ctx).Error()
}

func read(client *rest.RESTClient, name string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	var found core.ConfigMap
	if err := client.Get().Namespace("default").Resource("configmaps").Name(name).Do(ctx).Into(&found); err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Data["value"])
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
