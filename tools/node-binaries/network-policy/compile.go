package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"net/netip"
	"slices"
	"sort"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// table is the name of all rules in nftables: family and name.
const table = "ip drover-network-policy"

type direction struct {
	kind networking.PolicyType
	// chains of this direction begin with it.
	prefix string
	// How the address of the other side is matched.
	peer string
}

var (
	ingress = direction{networking.PolicyTypeIngress, "in", "ip saddr"}
	egress  = direction{networking.PolicyTypeEgress, "out", "ip daddr"}
)

// compiler gathers what rules name: each distinct selection of pods is one set, each distinct choice of policies one chain.
type compiler struct {
	namespaceLabels map[string]labels.Set
	// Those that rules can be about, by address.
	pods       []*core.Pod
	sets       map[string][]string
	namedPorts map[string][]string
	chains     map[string][]string
	// Chains by the addresses of this node's pods, each direction by its prefix.
	selected map[string]map[string]string
}

// compile gives the whole table as a script for nft; pure, and the same for the same world.
//
// Packets between this node itself and its pods pass no forward hook, so that probes of the kubelet always arrive. Whoever has a policy
// is looked up by its address, after services have been translated and before anything is masqueraded.
func compile(node string, w world) string {
	c := &compiler{
		namespaceLabels: map[string]labels.Set{},
		sets:            map[string][]string{},
		namedPorts:      map[string][]string{},
		chains:          map[string][]string{},
		selected:        map[string]map[string]string{ingress.prefix: {}, egress.prefix: {}},
	}
	for _, namespace := range w.namespaces {
		c.namespaceLabels[namespace.Name] = namespace.Labels
	}
	for _, pod := range w.pods {
		if address(pod) != "" {
			c.pods = append(c.pods, pod)
		}
	}
	sort.Slice(c.pods, func(i, j int) bool { return address(c.pods[i]) < address(c.pods[j]) })
	byNamespace := map[string][]*networking.NetworkPolicy{}
	for _, policy := range w.policies {
		byNamespace[policy.Namespace] = append(byNamespace[policy.Namespace], policy)
	}
	for _, policies := range byNamespace {
		sort.Slice(policies, func(i, j int) bool { return policies[i].Name < policies[j].Name })
	}
	for _, pod := range c.pods {
		if pod.Spec.NodeName != node {
			continue
		}
		for _, way := range []direction{ingress, egress} {
			if chosen := choose(byNamespace[pod.Namespace], pod, way); len(chosen) > 0 {
				c.selected[way.prefix][address(pod)] = c.chain(chosen, way)
			}
		}
	}
	return c.render()
}

// address of a pod that rules can be about: empty for those on the host's network, without an address yet, or over.
func address(pod *core.Pod) string {
	if pod.Spec.HostNetwork || pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed {
		return ""
	}
	ip, err := netip.ParseAddr(pod.Status.PodIP)
	if err != nil || !ip.Is4() {
		return ""
	}
	return ip.String()
}

func choose(policies []*networking.NetworkPolicy, pod *core.Pod, way direction) []*networking.NetworkPolicy {
	var chosen []*networking.NetworkPolicy
	for _, policy := range policies {
		if governs(policy, way) && matches(&policy.Spec.PodSelector, pod.Labels) {
			chosen = append(chosen, policy)
		}
	}
	return chosen
}

func governs(policy *networking.NetworkPolicy, way direction) bool {
	if types := policy.Spec.PolicyTypes; len(types) > 0 {
		return slices.Contains(types, way.kind)
	}
	return way.kind == networking.PolicyTypeIngress || len(policy.Spec.Egress) > 0
}

func matches(selector *meta.LabelSelector, set labels.Set) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		// The API server admits none of these; a wrong one selects nothing, which is the safe side for peers.
		log.Printf("a selector can't be read: %v", err)
		return false
	}
	return parsed.Matches(set)
}

// chain of all these policies together: whoever matches one of their rules returns, the rest is dropped.
func (c *compiler) chain(policies []*networking.NetworkPolicy, way direction) string {
	var names []string
	for _, policy := range policies {
		names = append(names, policy.Namespace+"/"+policy.Name)
	}
	name := way.prefix + "-" + digest(names...)
	if _, known := c.chains[name]; known {
		return name
	}
	rules := []string{}
	for i, policy := range policies {
		var own []string
		if way.kind == networking.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				own = append(own, c.rules(policy, rule.From, rule.Ports, way)...)
			}
		} else {
			for _, rule := range policy.Spec.Egress {
				own = append(own, c.rules(policy, rule.To, rule.Ports, way)...)
			}
		}
		for _, rule := range own {
			rules = append(rules, fmt.Sprintf("%s comment %q", strings.TrimSpace(rule+" return"), short(names[i])))
		}
	}
	c.chains[name] = append(rules, "counter drop")
	return name
}

// rules for one entry of a policy: each peer with each group of ports.
func (c *compiler) rules(policy *networking.NetworkPolicy, peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort, way direction) []string {
	from := []string{""}
	if len(peers) > 0 {
		from = nil
		for _, peer := range peers {
			if match, ok := c.peer(policy.Namespace, peer, way); ok {
				from = append(from, match)
			}
		}
	}
	to := []string{""}
	if len(ports) > 0 {
		to = c.ports(ports)
	}
	var rules []string
	for _, peer := range from {
		for _, port := range to {
			rules = append(rules, strings.TrimSpace(peer+" "+port))
		}
	}
	return rules
}

func (c *compiler) peer(namespace string, peer networking.NetworkPolicyPeer, way direction) (string, bool) {
	if block := peer.IPBlock; block != nil {
		return blockMatch(block, way)
	}
	name := "pods-" + digest(namespace, selectorText(peer.NamespaceSelector), selectorText(peer.PodSelector))
	if peer.NamespaceSelector != nil {
		// Whose policy it is makes no difference then.
		name = "pods-" + digest("", selectorText(peer.NamespaceSelector), selectorText(peer.PodSelector))
	}
	if _, known := c.sets[name]; !known {
		c.sets[name] = c.addresses(namespace, peer)
	}
	return fmt.Sprintf("%s @%s", way.peer, name), true
}

func (c *compiler) addresses(namespace string, peer networking.NetworkPolicyPeer) []string {
	found := []string{}
	for _, pod := range c.pods {
		if peer.NamespaceSelector == nil {
			if pod.Namespace != namespace {
				continue
			}
		} else if set, known := c.namespaceLabels[pod.Namespace]; !known || !matches(peer.NamespaceSelector, set) {
			continue
		}
		if peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels) {
			found = append(found, address(pod))
		}
	}
	return slices.Compact(found)
}

func blockMatch(block *networking.IPBlock, way direction) (string, bool) {
	prefix, err := netip.ParsePrefix(block.CIDR)
	if err != nil || !prefix.Addr().Is4() {
		return "", false
	}
	match := fmt.Sprintf("%s %s", way.peer, prefix.Masked())
	if except := ranges(block.Except); len(except) > 0 {
		match += fmt.Sprintf(" %s != { %s }", way.peer, strings.Join(except, ", "))
	}
	return match, true
}

// ranges without those that lie in another one, which nft refuses.
func ranges(cidrs []string) []string {
	var prefixes []netip.Prefix
	for _, cidr := range cidrs {
		if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Addr().Is4() {
			prefixes = append(prefixes, prefix.Masked())
		}
	}
	sort.Slice(prefixes, func(i, j int) bool { return prefixes[i].Bits() < prefixes[j].Bits() })
	var kept []netip.Prefix
	var texts []string
	for _, prefix := range prefixes {
		if slices.ContainsFunc(kept, func(wide netip.Prefix) bool { return wide.Contains(prefix.Addr()) }) {
			continue
		}
		kept = append(kept, prefix)
		texts = append(texts, prefix.String())
	}
	return texts
}

// ports as matches: numbers of one protocol together, each name by what it means in the pod that is gone to.
func (c *compiler) ports(ports []networking.NetworkPolicyPort) []string {
	numbers := map[string][][2]int{}
	whole := map[string]bool{}
	var named []string
	for _, port := range ports {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case protocol != "tcp" && protocol != "udp" && protocol != "sctp":
		case port.Port == nil:
			whole[protocol] = true
		case port.Port.Type == intstr.String:
			named = append(named, c.namedPort(protocol, port.Port.StrVal))
		default:
			last := port.Port.IntValue()
			if port.EndPort != nil {
				last = int(*port.EndPort)
			}
			numbers[protocol] = append(numbers[protocol], [2]int{port.Port.IntValue(), last})
		}
	}
	var matches []string
	for _, protocol := range []string{"tcp", "udp", "sctp"} {
		if whole[protocol] {
			matches = append(matches, "meta l4proto "+protocol)
		} else if list := merged(numbers[protocol]); len(list) > 0 {
			matches = append(matches, fmt.Sprintf("%s dport { %s }", protocol, strings.Join(list, ", ")))
		}
	}
	return append(matches, named...)
}

// namedPort matches what has a port of this name, whichever pod it is and whatever number it gives it.
func (c *compiler) namedPort(protocol, name string) string {
	set := "port-" + digest(protocol, name)
	if _, known := c.namedPorts[set]; !known {
		elements := []string{}
		for _, pod := range c.pods {
			for _, container := range append(sidecars(pod.Spec.InitContainers), pod.Spec.Containers...) {
				for _, port := range container.Ports {
					of := strings.ToLower(string(port.Protocol))
					if port.Name == name && (of == protocol || (of == "" && protocol == "tcp")) {
						elements = append(elements, fmt.Sprintf("%s . %d", address(pod), port.ContainerPort))
					}
				}
			}
		}
		sort.Strings(elements)
		c.namedPorts[set] = slices.Compact(elements)
	}
	return fmt.Sprintf("meta l4proto %s ip daddr . th dport @%s", protocol, set)
}

// merged intervals, none touching another.
func merged(intervals [][2]int) []string {
	sort.Slice(intervals, func(i, j int) bool { return intervals[i][0] < intervals[j][0] })
	var joined [][2]int
	for _, one := range intervals {
		if n := len(joined); n > 0 && one[0] <= joined[n-1][1]+1 {
			joined[n-1][1] = max(joined[n-1][1], one[1])
		} else if one[0] <= one[1] {
			joined = append(joined, one)
		}
	}
	var texts []string
	for _, one := range joined {
		if one[0] == one[1] {
			texts = append(texts, fmt.Sprint(one[0]))
		} else {
			texts = append(texts, fmt.Sprintf("%d-%d", one[0], one[1]))
		}
	}
	return texts
}

// selectorText tells selectors apart, an absent one from one that takes everything.
func selectorText(selector *meta.LabelSelector) string {
	if selector == nil {
		return "none"
	}
	return "some " + meta.FormatLabelSelector(selector)
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// short enough for a comment of nft.
func short(name string) string {
	return name[:min(len(name), 120)]
}
