package client

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Surroundings tells what figures depend on: the machine, Go, and the versions of the
// clients.
func Surroundings() string {
	lines := []string{fmt.Sprintf("%s, %d cores, %s/%s, %s", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if compared[m.Path] {
				lines = append(lines, m.Path+" "+m.Version)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// compared are the modules whose clients are compared.
var compared = map[string]bool{
	"github.com/Azure/azure-sdk-for-go/sdk/azcore":    true,
	"github.com/alibabacloud-go/darabonba-openapi/v2": true,
	"github.com/alibabacloud-go/tea":                  true,
	"github.com/aliyun/alibaba-cloud-sdk-go":          true,
	"github.com/aws/aws-sdk-go-v2":                    true,
	"github.com/failsafe-go/failsafe-go":              true,
	"github.com/hashicorp/go-retryablehttp":           true,
}

// processor is the model of the CPU, where Linux tells it.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
