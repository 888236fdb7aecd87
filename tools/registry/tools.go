//go:build tools

// Package tools pins the image registry that the push tests run against.
package tools

import _ "github.com/distribution/distribution/v3/cmd/registry"
