package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out, "", "cn-qingdao"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\nVpc 2016-04-28 CreateVpc: Done after 2 attempts\n") {
		t.Error(out.String())
	}
}
