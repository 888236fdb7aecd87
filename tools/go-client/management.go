package main

import (
	"fmt"
	"strings"

	"github.com/rancher/norman/clientbase"
	management "github.com/rancher/rancher/pkg/client/generated/management/v3"
)

// managementSteps are those on what the server itself keeps.
func (r *run) managementSteps() {
	r.step("read and change settings", r.settings)
	r.step("make, find, change, replace and delete a cluster", r.clusters)
	r.step("walk through pages", r.pages)
	r.step("get a kubeconfig", r.kubeconfig)
	r.step("search principals through the collection of a filter that finds none", r.principals)
	r.step("list roles by flag and context", r.roles)
	r.step("make a user, set his password, bind and unbind him", r.users)
	r.step("make and delete a token", r.tokens)
	r.step("get the command that registers a cluster", r.registration)
	r.step("branch on refusals", r.refusals)
}

func (r *run) settings() error {
	settings := r.management.Setting
	version, err := settings.ByID("server-version")
	if err != nil || version.Value == "" {
		return fmt.Errorf("server-version %v: %w", version, err)
	}
	setting, err := settings.ByID("password-min-length")
	if err != nil {
		return err
	}
	changed, err := settings.Update(setting, map[string]string{"value": "13"})
	if err != nil {
		return err
	}
	if changed.Value != "13" || changed.Source != "db" || !changed.Customized {
		return fmt.Errorf("changed to %+v", changed)
	}
	back, err := settings.Update(setting, map[string]string{"value": ""})
	if err != nil {
		return err
	}
	return check(back.Value == back.Default && back.Source == "default", "empty is not the default: %+v", back)
}

func (r *run) clusters() error {
	clusters := r.management.Cluster
	made, err := clusters.Create(&management.Cluster{Name: "made-by-go", Description: "first", Labels: map[string]string{"of": "go"}})
	if err != nil {
		return err
	}
	if made.ID == "" || made.Type != "cluster" || made.Links["self"] == "" || made.CreatorID == "" {
		return fmt.Errorf("made %+v", made.Resource)
	}
	found, err := clusters.List(filter("name", "made-by-go"))
	if err != nil || len(found.Data) != 1 || found.Data[0].ID != made.ID {
		return fmt.Errorf("found %d: %w", len(found.Data), err)
	}
	changed, err := clusters.Update(made, map[string]any{"description": "second"})
	if err != nil || changed.Description != "second" || changed.Labels["of"] != "go" {
		return fmt.Errorf("changed to %q, %v: %w", changed.Description, changed.Labels, err)
	}
	replaced, err := clusters.Replace(&management.Cluster{Resource: made.Resource, Name: "made-by-go"})
	if err != nil || replaced.Description != "" {
		return fmt.Errorf("replaced by %q: %w", replaced.Description, err)
	}
	var reloaded management.Cluster
	if err := r.management.Reload(&made.Resource, &reloaded); err != nil || reloaded.Name != "made-by-go" {
		return fmt.Errorf("reloaded %q: %w", reloaded.Name, err)
	}
	if err := clusters.Delete(made); err != nil {
		return err
	}
	_, err = eventually(func() (bool, error) {
		_, err := clusters.ByID(made.ID)
		return clientbase.IsNotFound(err), err
	})
	return err
}

func (r *run) pages() error {
	all, err := r.management.RoleTemplate.List(nil)
	if err != nil {
		return err
	}
	page, err := r.management.RoleTemplate.List(filter("limit", 3))
	if err != nil {
		return err
	}
	if len(page.Data) != 3 || !page.Pagination.Partial || *page.Pagination.Total != int64(len(all.Data)) {
		return fmt.Errorf("a page of %d: %+v", len(page.Data), page.Pagination)
	}
	seen := map[string]bool{}
	for ; page != nil; page, err = page.Next() {
		if err != nil {
			return err
		}
		for _, one := range page.Data {
			seen[one.ID] = true
		}
	}
	walked, err := r.management.RoleTemplate.ListAll(filter("limit", 3))
	if err != nil {
		return err
	}
	return check(len(seen) == len(all.Data) && len(walked.Data) == len(all.Data),
		"%d by page and %d at once of %d", len(seen), len(walked.Data), len(all.Data))
}

func (r *run) kubeconfig() error {
	cluster, err := r.management.Cluster.ByID(r.clusterID)
	if err != nil {
		return err
	}
	out, err := r.management.Cluster.ActionGenerateKubeconfig(cluster)
	if err != nil {
		return err
	}
	return check(strings.Contains(out.Config, "/k8s/clusters/"+r.clusterID), "no kubeconfig: %.80s", out.Config)
}

func (r *run) principals() error {
	collection, err := r.management.Principal.List(filter("ID", "thisisnotathing"))
	if err != nil {
		return err
	}
	found, err := r.management.Principal.CollectionActionSearch(collection, &management.SearchPrincipalsInput{Name: "admin"})
	if err != nil {
		return err
	}
	for _, principal := range found.Data {
		if principal.LoginName == "admin" && principal.PrincipalType == "user" {
			return nil
		}
	}
	return fmt.Errorf("no admin among %d", len(found.Data))
}

func (r *run) roles() error {
	for _, context := range []string{"cluster", "project"} {
		roles, err := r.management.RoleTemplate.List(filter("hidden", false, "context", context))
		if err != nil {
			return err
		}
		if len(roles.Data) == 0 {
			return fmt.Errorf("none for a %s", context)
		}
		for _, role := range roles.Data {
			if role.Hidden || role.Context != context {
				return fmt.Errorf("%s is of %s", role.ID, role.Context)
			}
		}
	}
	return nil
}

func (r *run) users() error {
	user, err := r.management.User.Create(&management.User{Username: "of-go", Password: "first-password-1234", Name: "Of Go"})
	if err != nil {
		return err
	}
	if user.Password != "" {
		return fmt.Errorf("the answer has the password")
	}
	if _, err := r.management.User.ActionSetpassword(user, &management.SetPasswordInput{NewPassword: "second-password-1234"}); err != nil {
		return err
	}
	binding, err := r.management.ClusterRoleTemplateBinding.Create(&management.ClusterRoleTemplateBinding{
		ClusterID: r.clusterID, RoleTemplateID: "cluster-member", UserID: user.ID,
	})
	if err != nil {
		return err
	}
	bound, err := r.management.ClusterRoleTemplateBinding.List(filter("clusterId", r.clusterID, "userId", user.ID))
	if err != nil || len(bound.Data) != 1 {
		return fmt.Errorf("bound %d times: %w", len(bound.Data), err)
	}
	if err := r.management.ClusterRoleTemplateBinding.Delete(binding); err != nil {
		return err
	}
	return r.management.User.Delete(user)
}

func (r *run) tokens() error {
	token, err := r.management.Token.Create(&management.Token{Description: "of go", TTLMillis: 3_600_000})
	if err != nil {
		return err
	}
	if !strings.HasPrefix(token.Token, token.ID+":") {
		return fmt.Errorf("the token is not begun by its id")
	}
	access, secret, _ := strings.Cut(token.Token, ":")
	options := r.options("/v3")
	options.AccessKey, options.SecretKey = access, secret
	own, err := management.NewClient(options)
	if err != nil {
		return err
	}
	if err := r.management.Token.Delete(token); err != nil {
		return err
	}
	_, err = own.Setting.List(nil)
	_, err = refusal(err, 401)
	return err
}

func (r *run) registration() error {
	made, err := r.management.ClusterRegistrationToken.Create(&management.ClusterRegistrationToken{ClusterID: r.clusterID})
	if err != nil {
		return err
	}
	_, err = eventually(func() (bool, error) {
		seen, err := r.management.ClusterRegistrationToken.ByID(made.ID)
		return err == nil && seen.Token != "" && strings.Contains(seen.ManifestURL, "/v3/import/"+seen.Token), err
	})
	if err != nil {
		return err
	}
	return r.management.ClusterRegistrationToken.Delete(made)
}

func (r *run) refusals() error {
	_, err := r.management.Cluster.ByID("c-nosuch")
	if _, err := refusal(err, 404); err != nil {
		return err
	}
	_, err = r.management.Cluster.Create(&management.Cluster{})
	said, err := refusal(err, 422)
	if err != nil {
		return err
	}
	if !strings.Contains(said, "code=MissingRequired") || !strings.Contains(said, "fieldName=") {
		return fmt.Errorf("said %q", said)
	}
	readOnly, err := r.management.Setting.ByID("cacerts")
	if err != nil {
		return err
	}
	_, err = r.management.Setting.Update(readOnly, map[string]string{"value": "other"})
	if _, err = refusal(err, 405); err != nil {
		return err
	}
	options := r.options("/v3")
	options.SecretKey = "wrong"
	_, err = management.NewClient(options)
	_, err = refusal(err, 401)
	return err
}
