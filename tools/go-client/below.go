package main

import (
	"fmt"

	"github.com/rancher/norman/clientbase"
	cluster "github.com/rancher/rancher/pkg/client/generated/cluster/v3"
	project "github.com/rancher/rancher/pkg/client/generated/project/v3"
)

const namespace = "of-go"

// clusterSteps are those on what is in a cluster and in a project.
func (r *run) clusterSteps() {
	r.step("make a namespace, move it out of the project and back", r.namespaces)
	r.step("list the classes of storage and the volumes", r.storage)
	r.step("make, scale, pause, resume, redeploy and delete a workload", r.workloads)
	r.step("make, change and delete config maps and secrets", r.configs)
	r.step("make, change and delete a service", r.services)
	r.step("delete the namespace", func() error {
		seen, err := r.cluster.Namespace.ByID(namespace)
		if err != nil {
			return err
		}
		return r.cluster.Namespace.Delete(seen)
	})
}

func (r *run) namespaces() error {
	made, err := r.cluster.Namespace.Create(&cluster.Namespace{Name: namespace, ProjectID: r.projectID, Description: "first"})
	if err != nil {
		return err
	}
	for _, to := range []string{"", r.projectID} {
		if err := r.cluster.Namespace.ActionMove(made, &cluster.NamespaceMove{ProjectID: to}); err != nil {
			return err
		}
		seen, err := r.cluster.Namespace.ByID(namespace)
		if err != nil || seen.ProjectID != to {
			return fmt.Errorf("is in %q instead of %q: %w", seen.ProjectID, to, err)
		}
	}
	changed, err := r.cluster.Namespace.Update(made, map[string]any{"description": "second"})
	if err != nil || changed.Description != "second" {
		return fmt.Errorf("changed to %q: %w", changed.Description, err)
	}
	found, err := r.cluster.Namespace.List(filter("projectId", r.projectID))
	return check(err == nil && len(found.Data) == 1, "%d in the project: %v", len(found.Data), err)
}

func (r *run) storage() error {
	if _, err := r.cluster.StorageClass.List(nil); err != nil {
		return err
	}
	_, err := r.cluster.PersistentVolume.List(nil)
	return err
}

func (r *run) workloads() error {
	workloads := r.project.Workload
	scale := int64(0)
	made, err := workloads.Create(&project.Workload{
		Name: "web", NamespaceId: namespace, Scale: &scale,
		Containers: []project.Container{{Name: "web", Image: "example.com/web:1"}},
	})
	if err != nil {
		return err
	}
	if made.ID != "deployment:"+namespace+":web" {
		return fmt.Errorf("made %q", made.ID)
	}
	changed, err := workloads.Update(made, map[string]any{"scale": 2})
	if err != nil || *changed.Scale != 2 || changed.Containers[0].Image != "example.com/web:1" {
		return fmt.Errorf("changed to %v: %w", changed.Scale, err)
	}
	if err := workloads.ActionPause(changed); err != nil {
		return err
	}
	paused, err := workloads.ByID(made.ID)
	if err != nil {
		return err
	}
	if err := workloads.ActionResume(paused); err != nil {
		return err
	}
	if err := workloads.ActionRedeploy(made); err != nil {
		return err
	}
	found, err := workloads.List(filter("namespaceId", namespace, "name", "web"))
	if err != nil || len(found.Data) != 1 {
		return fmt.Errorf("found %d: %w", len(found.Data), err)
	}
	if err := workloads.Delete(made); err != nil {
		return err
	}
	_, err = eventually(func() (bool, error) {
		_, err := workloads.ByID(made.ID)
		return clientbase.IsNotFound(err), err
	})
	return err
}

func (r *run) configs() error {
	config, err := r.project.ConfigMap.Create(&project.ConfigMap{Name: "own", NamespaceId: namespace, Data: map[string]string{"a": "1"}})
	if err != nil {
		return err
	}
	changed, err := r.project.ConfigMap.Update(config, map[string]any{"data": map[string]string{"b": "2"}})
	if err != nil || len(changed.Data) != 1 || changed.Data["b"] != "2" {
		return fmt.Errorf("changed to %v: %w", changed.Data, err)
	}
	if err := r.project.ConfigMap.Delete(config); err != nil {
		return err
	}
	secret, err := r.project.NamespacedSecret.Create(&project.NamespacedSecret{
		Name: "own", NamespaceId: namespace, StringData: map[string]string{"a": "1"},
	})
	if err != nil {
		return err
	}
	seen, err := r.project.NamespacedSecret.ByID(secret.ID)
	if err != nil || seen.Data["a"] != "MQ==" {
		return fmt.Errorf("kept %d parts: %w", len(seen.Data), err)
	}
	return r.project.NamespacedSecret.Delete(secret)
}

func (r *run) services() error {
	made, err := r.project.Service.Create(&project.Service{
		Name: "web", NamespaceId: namespace, Kind: "ClusterIP", Selector: map[string]string{"app": "web"},
		Ports: []project.ServicePort{{Name: "web", Port: 80}},
	})
	if err != nil {
		return err
	}
	changed, err := r.project.Service.Update(made, map[string]any{"selector": map[string]string{"app": "other"}})
	if err != nil || changed.Selector["app"] != "other" || changed.Ports[0].Port != 80 {
		return fmt.Errorf("changed to %v: %w", changed.Selector, err)
	}
	return r.project.Service.Delete(made)
}
