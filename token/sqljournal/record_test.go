package sqljournal

import (
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMACs(t *testing.T) {
	for _, macs := range []map[string]string{
		{},
		{"": "a"},
		{"ScalingGroupName": "a", "Tag.1.Key": "b", "a\"b<>&\u2028": "c"},
		{"\xff": "a", "\xfe": "b", "\ufffd": "c", "\ufffd/w": "d", "a\x00": "e"},
	} {
		text, err := encodeMACs(macs)
		if err != nil || !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			t.Fatalf("%q: %q, %v", macs, text, err)
		}
		if back, err := decodeMACs([]byte(text)); err != nil || !maps.Equal(back, macs) {
			t.Errorf("%q comes back as %q, %v", macs, back, err)
		}
	}
	for _, text := range []string{"", "x", "[]", `{"a":1}`, `{"` + mark + `!":"a"}`} {
		if macs, err := decodeMACs([]byte(text)); err == nil {
			t.Errorf("%q is read as %q", text, macs)
		}
	}
}

func TestLegible(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"Ess 2014-08-28":                    "Ess 2014-08-28",
		"a\x00\n\x7fb\xff":                  "a   b?",
		"名" + strings.Repeat("名", 85) + "x": strings.Repeat("名", 85),
	} {
		if got := legible(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
