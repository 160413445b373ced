package retry

import (
	"net/http"
	"reflect"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
)

// findCore returns the sdk.Client that a client is or embeds, at the least depth as in a
// promoted method, and false if a nil pointer stands where it would be. It returns nil for a
// client made otherwise.
func findCore(client SDKClient) (core *sdk.Client, ok bool) {
	for level := []reflect.Value{reflect.ValueOf(client)}; len(level) > 0; {
		var next []reflect.Value
		for _, v := range level {
			for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
				if v.IsNil() && v.Type().Implements(reflect.TypeFor[SDKClient]()) {
					return nil, false
				}
				v = v.Elem()
			}
			switch {
			case !v.IsValid() || v.Kind() != reflect.Struct:
			case v.Type() == reflect.TypeFor[sdk.Client]():
				if v.CanAddr() { // a copy has none of the methods
					return (*sdk.Client)(v.Addr().UnsafePointer()), true
				}
			default:
				for i := range v.NumField() {
					if v.Type().Field(i).Anonymous {
						next = append(next, v.Field(i))
					}
				}
			}
		}
		level = next
	}
	return nil, true
}

// leadsTo reports whether a client's methods are those of a core found in it.
func leadsTo(client SDKClient, core *sdk.Client) bool {
	const probe = noTimeout + 1
	before := client.GetReadTimeout()
	client.SetReadTimeout(probe)
	defer client.SetReadTimeout(before)
	return core.GetReadTimeout() == probe
}

// hidden returns a field of the client's that has no getter, or nil where there is no client,
// or one of a version of the SDK that has no such field.
func hidden[T any](client *sdk.Client, name string) *T {
	if client == nil {
		return nil
	}
	field := reflect.ValueOf(client).Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != reflect.TypeFor[T]() {
		return nil
	}
	return (*T)(field.Addr().UnsafePointer())
}

// httpClientOf returns the http.Client of the SDK's, which says what transport SetTransport
// has set, our own above all; nil if it does not show.
func httpClientOf(client *sdk.Client) **http.Client {
	if field := hidden[*http.Client](client, "httpClient"); field != nil && *field != nil {
		return field
	}
	return nil
}
