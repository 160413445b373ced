package token_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aliretry/aliretry/token"
)

func TestValidateKey(t *testing.T) {
	tests := []struct {
		name, key string
		ok        bool
	}{
		{"usual", "asg/web-prod/run-17", true},
		{"one byte", "x", true},
		{"spaces", " a b ", true},
		{"first and last of ASCII that print", " ~", true},
		{"Chinese", "伸缩组/一", true},
		{"outside the basic plane", "🚀", true},
		{"255 bytes", strings.Repeat("x", 255), true},
		{"255 bytes, 85 characters", strings.Repeat("组", 85), true},
		{"empty", "", false},
		{"256 bytes", strings.Repeat("x", 256), false},
		{"256 bytes, fewer characters", strings.Repeat("组", 85) + "x", false},
		{"NUL", "a\x00b", false},
		{"newline", "a\n", false},
		{"tab", "a\tb", false},
		{"last control character below the space", "\x1f", false},
		{"delete", "a\x7f", false},
		{"a byte that is not UTF-8", "a\xff", false},
		{"a character cut off", "组"[:2], false},
		{"a surrogate", "\xed\xa0\x80", false},
		{"an overlong slash", "\xc0\xaf", false},
		{"a control character beyond ASCII", "\u009b31m", false},
		{"what stands for a broken character", "a\ufffd", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := token.ValidateKey(tt.key)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, token.ErrKey) {
				t.Errorf("ValidateKey(%q) = %v", tt.key, err)
			}
			if err != nil && len(tt.key) > 1 && strings.Contains(err.Error(), tt.key) {
				t.Errorf("the error repeats the key: %v", err)
			}
		})
	}
}

// Every key that passes is stored and compared as it is, and Begin takes the same ones.
func FuzzValidateKey(f *testing.F) {
	for _, key := range []string{"", "a", "a\x00", "\x7f", "\xff", "组", "a\ufffd", "a\u0085", strings.Repeat("x", 256)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		err := token.ValidateKey(key)
		usable := key != "" && len(key) <= token.MaxKey && utf8.ValidString(key) && !strings.ContainsRune(key, utf8.RuneError)
		for _, r := range key {
			usable = usable && r >= ' ' && (r < 0x7f || r > 0x9f)
		}
		if (err == nil) != usable {
			t.Errorf("ValidateKey(%q) = %v", key, err)
		}
		if _, begun := token.Begin(nil, token.Intent{Key: key}, epoch); (begun == nil) != usable {
			t.Errorf("ValidateKey(%q) = %v, and Begin says %v", key, err, begun)
		}
	})
}
