package retry_test

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/signer"
)

// profiles makes the file of the CLI's profiles the first source of a chain, and a vault the
// next one. The func that it returns writes the file.
func profiles(t *testing.T) (file string, write func(current, secret string)) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("ALIBABA_CLOUD_CREDENTIALS_URI", newVault(t).URL)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_PROFILE"} {
		t.Setenv(name, "")
	}
	file = filepath.Join(home, ".aliyun", "config.json")
	return file, func(current, secret string) {
		text := `{"current":"` + current + `","profiles":[`
		for _, name := range []string{"a", "b"} {
			text += `{"name":"` + name + `","mode":"StsToken","access_key_id":"STS.` + name + `","access_key_secret":"` + secret + `","sts_token":"t"},`
		}
		text = text[:len(text)-1] + `]}`
		if err := cmp.Or(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// While a source is away, a refresh neither drops what there is nor goes over to the next one
// of the chain, nor to another profile: these may be of another account.
func TestProviderFromKeepsSource(t *testing.T) {
	for name, make := range map[string]func() auth.Credential{
		"a chain":   func() auth.Credential { return credentials.NewDefaultCredentialsProvider() },
		"a profile": func() auth.Credential { return credentials.NewCLIProfileCredentialsProviderBuilder().Build() },
	} {
		t.Run(name, func(t *testing.T) {
			file, write := profiles(t)
			write("a", "s")
			p, err := retry.ProviderFrom(make())
			if err != nil {
				t.Fatal(err)
			}
			check := func() {
				t.Helper()
				if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "STS.a" {
					t.Errorf("%v, %v", c, err)
				}
			}
			check()
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := p.(signer.Refresher).Refresh(t.Context()); err == nil {
				t.Error("a refresh went over to another source")
			}
			check()
			write("b", "s") // as aliyun configure switch does
			if err := p.(signer.Refresher).Refresh(t.Context()); err != nil {
				t.Error(err)
			}
			check()
		})
	}
}

// A profile that is not whole is an error at every look, not a panic of the SDK's at the
// second, and one that is mended is found.
func TestProviderFromFindsMendedSource(t *testing.T) {
	_, write := profiles(t)
	write("a", "")
	p, err := retry.ProviderFrom(credentials.NewCLIProfileCredentialsProviderBuilder().Build())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if c, err := p.Credentials(t.Context()); err == nil {
			t.Errorf("credentials %v without a secret", c)
		}
	}
	write("a", "s")
	if c, err := p.Credentials(t.Context()); err != nil || c.AccessKeyID != "STS.a" {
		t.Errorf("%v, %v", c, err)
	}
}
