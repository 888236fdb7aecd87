// Drives a server with the published client of the API that it speaks, one named step after the other, and prints a line for
// each: "ok NAME", or "FAILED NAME: why". The steps are what scripts, command lines and Terraform do with it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rancher/norman/clientbase"
	"github.com/rancher/norman/types"
	cluster "github.com/rancher/rancher/pkg/client/generated/cluster/v3"
	management "github.com/rancher/rancher/pkg/client/generated/management/v3"
	project "github.com/rancher/rancher/pkg/client/generated/project/v3"
)

type run struct {
	url, token, ca, clusterID string
	failed                    bool

	management *management.Client
	cluster    *cluster.Client
	project    *project.Client
	projectID  string
}

func main() {
	var r run
	var caFile string
	flag.StringVar(&r.url, "url", "", "https://HOST:PORT of the server")
	flag.StringVar(&caFile, "ca", "", "file with the PEM of its CA")
	flag.StringVar(&r.clusterID, "cluster", "", "id of a cluster that is active")
	flag.Parse()
	r.token = os.Getenv("CLIENT_TOKEN")
	pem, err := os.ReadFile(caFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	r.ca = string(pem)

	r.step("connect to the base URL", r.connect)
	if r.failed {
		os.Exit(1)
	}
	r.managementSteps()
	r.step("make a project", r.makeProject)
	r.step("connect to the cluster and the project", r.connectBelow)
	if !r.failed {
		r.clusterSteps()
	}
	if r.failed {
		os.Exit(1)
	}
}

func (r *run) step(name string, do func() error) {
	if err := do(); err != nil {
		r.failed = true
		fmt.Printf("FAILED %s: %v\n", name, err)
		return
	}
	fmt.Printf("ok %s\n", name)
}

// options of a client, who signs in with both parts of his token as scripts do.
func (r *run) options(path string) *clientbase.ClientOpts {
	access, secret, _ := strings.Cut(r.token, ":")
	return &clientbase.ClientOpts{URL: r.url + path, AccessKey: access, SecretKey: secret, CACerts: r.ca, Timeout: time.Minute}
}

func (r *run) connect() (err error) {
	if r.management, err = management.NewClient(r.options("/v3")); err != nil {
		return err
	}
	return check(len(r.management.Types) > 10, "%d schemas", len(r.management.Types))
}

func (r *run) connectBelow() (err error) {
	if r.cluster, err = cluster.NewClient(r.options("/v3/clusters/" + r.clusterID)); err != nil {
		return err
	}
	if r.project, err = project.NewClient(r.options("/v3/projects/" + r.projectID)); err != nil {
		return err
	}
	if _, known := r.cluster.Types["namespace"]; !known {
		return errors.New("no schema of namespaces")
	}
	_, known := r.project.Types["workload"]
	return check(known, "no schema of workloads")
}

func (r *run) makeProject() error {
	made, err := r.management.Project.Create(&management.Project{Name: "of-go", ClusterID: r.clusterID})
	if err != nil {
		return err
	}
	r.projectID = made.ID
	_, err = eventually(func() (bool, error) {
		seen, err := r.management.Project.ByID(made.ID)
		return err == nil && seen.State == "active", err
	})
	return err
}

func check(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// refusal asserts that the server refused with that status, and gives what it said.
func refusal(err error, status int) (string, error) {
	var refused *clientbase.APIError
	if !errors.As(err, &refused) {
		return "", fmt.Errorf("no refusal: %v", err)
	}
	if refused.StatusCode != status {
		return "", fmt.Errorf("refused with %d instead of %d: %s", refused.StatusCode, status, refused.Msg)
	}
	return refused.Body, nil
}

// eventually asks until it holds; what it takes to hold is done by others.
func eventually(holds func() (bool, error)) (bool, error) {
	var last error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var done bool
		if done, last = holds(); done {
			return true, nil
		}
	}
	return false, fmt.Errorf("did not come about: %v", last)
}

func filter(pairs ...any) *types.ListOpts {
	opts := clientbase.NewListOpts()
	for i := 0; i < len(pairs); i += 2 {
		opts.Filters[pairs[i].(string)] = pairs[i+1]
	}
	return opts
}
