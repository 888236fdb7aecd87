package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// world is all that rules are made from.
type world struct {
	pods       []*core.Pod
	namespaces []*core.Namespace
	policies   []*networking.NetworkPolicy
}

// readWorld takes a `v1` List as `kubectl get -o json` writes it.
func readWorld(path string) (world, error) {
	var w world
	text, err := os.ReadFile(path)
	if err != nil {
		return w, err
	}
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(text, &list); err != nil {
		return w, fmt.Errorf("%s: %w", path, err)
	}
	for _, item := range list.Items {
		var kind meta.TypeMeta
		if err := json.Unmarshal(item, &kind); err != nil {
			return w, err
		}
		var into any
		switch kind.Kind {
		case "Pod":
			w.pods = append(w.pods, &core.Pod{})
			into = w.pods[len(w.pods)-1]
		case "Namespace":
			w.namespaces = append(w.namespaces, &core.Namespace{})
			into = w.namespaces[len(w.namespaces)-1]
		case "NetworkPolicy":
			w.policies = append(w.policies, &networking.NetworkPolicy{})
			into = w.policies[len(w.policies)-1]
		default:
			return w, fmt.Errorf("%s: a %q is none of Pod, Namespace, NetworkPolicy", path, kind.Kind)
		}
		if err := json.Unmarshal(item, into); err != nil {
			return w, err
		}
	}
	return w, nil
}

// watched is the world as the cluster has it now.
type watched struct {
	informers [3]cache.SharedIndexInformer
	// changed has something in it after every change.
	changed chan struct{}
}

func watchWorld(ctx context.Context, kubeconfig string) (*watched, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, networking.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	meta.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.UserAgent = "drover-network-policy"

	w := &watched{changed: make(chan struct{}, 1)}
	tell := func() {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
	kinds := []struct {
		version  schema.GroupVersion
		path     string
		resource string
		object   runtime.Object
	}{
		{core.SchemeGroupVersion, "/api", "pods", &core.Pod{}},
		{core.SchemeGroupVersion, "/api", "namespaces", &core.Namespace{}},
		{networking.SchemeGroupVersion, "/apis", "networkpolicies", &networking.NetworkPolicy{}},
	}
	for i, kind := range kinds {
		of := rest.CopyConfig(config)
		of.GroupVersion, of.APIPath = &kind.version, kind.path
		client, err := rest.RESTClientFor(of)
		if err != nil {
			return nil, err
		}
		source := cache.NewListWatchFromClient(client, kind.resource, meta.NamespaceAll, fields.Everything())
		informer := cache.NewSharedIndexInformer(source, kind.object, 0, cache.Indexers{})
		if err := informer.SetTransform(slim); err != nil {
			return nil, err
		}
		_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { tell() },
			DeleteFunc: func(any) { tell() },
			UpdateFunc: func(old, now any) {
				if matters(old, now) {
					tell()
				}
			},
		})
		if err != nil {
			return nil, err
		}
		w.informers[i] = informer
		go informer.RunWithContext(ctx)
	}
	return w, nil
}

// wait resolves once everything that there is has been seen; false when it ended before.
func (w *watched) wait(ctx context.Context) bool {
	return cache.WaitForCacheSync(ctx.Done(), w.informers[0].HasSynced, w.informers[1].HasSynced, w.informers[2].HasSynced)
}

func (w *watched) world() world {
	return world{all[*core.Pod](w.informers[0]), all[*core.Namespace](w.informers[1]), all[*networking.NetworkPolicy](w.informers[2])}
}

func all[T any](informer cache.SharedIndexInformer) []T {
	objects := informer.GetStore().List()
	found := make([]T, 0, len(objects))
	for _, object := range objects {
		found = append(found, object.(T))
	}
	return found
}

// slim keeps of an object what rules are made from: a node has the pods of the whole cluster in memory.
func slim(object any) (any, error) {
	switch o := object.(type) {
	case *core.Pod:
		pod := &core.Pod{ObjectMeta: slimMeta(o.ObjectMeta)}
		pod.Spec.NodeName, pod.Spec.HostNetwork = o.Spec.NodeName, o.Spec.HostNetwork
		for _, container := range append(sidecars(o.Spec.InitContainers), o.Spec.Containers...) {
			var named []core.ContainerPort
			for _, port := range container.Ports {
				if port.Name != "" {
					named = append(named, core.ContainerPort{Name: port.Name, ContainerPort: port.ContainerPort, Protocol: port.Protocol})
				}
			}
			if named != nil {
				pod.Spec.Containers = append(pod.Spec.Containers, core.Container{Ports: named})
			}
		}
		pod.Status.Phase, pod.Status.PodIP = o.Status.Phase, o.Status.PodIP
		return pod, nil
	case *core.Namespace:
		return &core.Namespace{ObjectMeta: slimMeta(o.ObjectMeta)}, nil
	case *networking.NetworkPolicy:
		return &networking.NetworkPolicy{ObjectMeta: slimMeta(o.ObjectMeta), Spec: o.Spec}, nil
	}
	return object, nil
}

func slimMeta(m meta.ObjectMeta) meta.ObjectMeta {
	return meta.ObjectMeta{Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion, Labels: m.Labels}
}

// sidecars run beside the others for as long as the pod does.
func sidecars(containers []core.Container) []core.Container {
	var found []core.Container
	for _, container := range containers {
		if container.RestartPolicy != nil && *container.RestartPolicy == core.ContainerRestartPolicyAlways {
			found = append(found, container)
		}
	}
	return found
}

// matters is false for the many changes of a status that no rule depends on.
func matters(old, now any) bool {
	before, isPod := old.(*core.Pod)
	after, _ := now.(*core.Pod)
	if !isPod || after == nil {
		return true
	}
	return before.UID != after.UID || address(before) != address(after) || !sameLabels(before.Labels, after.Labels)
}

func sameLabels(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		if other, ok := b[key]; !ok || other != value {
			return false
		}
	}
	return true
}
