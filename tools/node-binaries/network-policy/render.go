package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// render writes the table so that nft replaces the one before in one transaction: no packet meets half of it.
func (c *compiler) render() string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("add table %s", table)
	line("delete table %s", table)
	line("table %s {", table)
	for _, name := range slices.Sorted(maps.Keys(c.sets)) {
		line("  set %s { type ipv4_addr; %s}", name, elements(c.sets[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.namedPorts)) {
		line("  set %s { type ipv4_addr . inet_service; %s}", name, elements(c.namedPorts[name]))
	}
	itself := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.chains)) {
		line("  chain %s {", name)
		for _, rule := range c.chains[name] {
			line("    %s", rule)
		}
		line("  }")
	}
	for _, way := range []direction{egress, ingress} {
		var entries []string
		for _, ip := range slices.Sorted(maps.Keys(c.selected[way.prefix])) {
			entries = append(entries, fmt.Sprintf("%s : jump %s", ip, c.selected[way.prefix][ip]))
			itself[ip] = true
		}
		line("  map %s { type ipv4_addr : verdict; %s}", way.prefix, elements(entries))
	}
	var pairs []string
	for _, ip := range slices.Sorted(maps.Keys(itself)) {
		pairs = append(pairs, ip+" . "+ip)
	}
	line("  set itself { type ipv4_addr . ipv4_addr; %s}", elements(pairs))
	line("  chain forward {")
	line("    type filter hook forward priority filter; policy accept;")
	line("    ct state established,related accept")
	line("    ip saddr . ip daddr @itself accept")
	line("    ip saddr vmap @out")
	line("    ip daddr vmap @in")
	line("  }")
	line("}")
	return out.String()
}

func elements(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "elements = { " + strings.Join(list, ", ") + " }; "
}
