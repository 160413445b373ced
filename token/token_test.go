package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/aliretry/aliretry/token"
)

// The expected tokens were computed with Python's uuid module. They are pinned for
// ever: a change here means that programs repeat work which their older build did.
func TestDeriveVectors(t *testing.T) {
	tests := []struct{ namespace, key, want string }{
		{"", "", "4b435587-4930-56cf-927c-adb01c7fb462"},
		{"a", "bc", "a2b95be8-2952-5120-9596-b85cd9628309"},
		{"ab", "c", "db78b2f6-2d57-5077-9196-a0e7d56a4ae7"},
		{"prod", "asg/web-prod/run-17", "3b0cd111-9202-5be1-8d4d-378cf3549536"},
		{"生产", "伸缩组", "5896b61f-5fb7-5731-9d85-e610ca6c545d"},
	}
	for _, tt := range tests {
		if got := token.Derive(tt.namespace, tt.key); got != tt.want {
			t.Errorf("Derive(%q, %q) = %s, want %s", tt.namespace, tt.key, got, tt.want)
		}
	}
}

func TestNewIsValidAndUnique(t *testing.T) {
	seen := make(map[string]bool)
	for range 10_000 {
		tok := token.New()
		if err := token.Validate(tok); err != nil {
			t.Fatalf("New() = %q: %v", tok, err)
		}
		if id, err := uuid.Parse(tok); err != nil || id.Version() != 4 {
			t.Fatalf("New() = %q is no UUIDv4", tok)
		}
		if seen[tok] {
			t.Fatalf("New() gave %q twice", tok)
		}
		seen[tok] = true
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name, token string
		want        error
	}{
		{"the documented example", "123e4567-e89b-12d3-a456-426655440000", nil},
		{"one character", "x", nil},
		{"64 characters", strings.Repeat("x", 64), nil},
		{"first and last printable", " ~", nil},
		{"empty", "", token.ErrEmpty},
		{"65 characters", strings.Repeat("x", 65), token.ErrTooLong},
		{"umlaut", "tökn", token.ErrNotASCII},
		{"Chinese", "令牌", token.ErrNotASCII},
		{"newline", "a\nb", token.ErrNotASCII},
		{"delete", "a\x7f", token.ErrNotASCII},
		{"invalid UTF-8", "a\xff", token.ErrNotASCII},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := token.Validate(tt.token)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("Validate(%q) = %v, want %v", tt.token, err, tt.want)
			}
			if err != nil && tt.token != "" && strings.Contains(err.Error(), tt.token) {
				t.Errorf("error repeats the token: %v", err)
			}
		})
	}
}

func ExampleDerive() {
	// The same intent gives the same token after a restart, on any machine.
	fmt.Println(token.Derive("prod", "asg/web-prod/run-17"))
	fmt.Println(token.Derive("prod", "asg/web-prod/run-18"))
	// Output:
	// 3b0cd111-9202-5be1-8d4d-378cf3549536
	// f98baf93-dbc0-5732-a52c-258a19aae9d6
}

func ExampleNew() {
	fmt.Println(token.Validate(token.New()) == nil)
	// Output: true
}
