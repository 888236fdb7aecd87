// The way from every node to all control planes. Needs nothing but the standard library.
module drover.local/tools/node-binaries/kube-lb

go 1.26.0
