package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out, choice); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, want := range []string{
		`Ess +2014-08-28 +CreateScalingGroup +ClientToken +unsafe +default +repeated`,
		`Ecs +2014-05-26 +RunInstances +ClientToken +unsafe +1m26s +repeated`,
		`Kms +2016-01-20 +GetRandomPassword +none +unsafe +default +ends Unknown`,
		`\(several\) +2019-01-01 +CreateBackupPlan +unknown +unsafe +default +ends Unknown`,
		`\(unknown\) +2030-01-01 +GetTomorrow +unknown +unknown +default +ends Unknown`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(out.String()) {
			t.Errorf("no line %s", want)
		}
	}
	if !strings.HasSuffix(out.String(), "\nas of 2025-04-25\n") {
		t.Error("the date is missing")
	}
	if run(&out, choice[:1]) == nil {
		t.Error("a version without an action is taken")
	}
}
