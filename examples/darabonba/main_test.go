package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\n1 scaling group created by 2 attempts under 1 token\n") {
		t.Errorf("printed %q", out.String())
	}
}
