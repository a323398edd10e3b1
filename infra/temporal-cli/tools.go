//go:build tools

// Package tools pins the Temporal CLI so that `go build` from the module proxy gives one known version.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
