package signing

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// What a request was taken apart in keeps nothing of it, so that a pool holds no large form and
// no token for good.
func TestScratchLetsGo(t *testing.T) {
	m := new(Scratch)
	req, _ := http.NewRequest("POST", "https://vpc.aliyuncs.com/?Action=CreateVpc&Version=2016-04-28&SecurityToken=secret", nil)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body := []byte("a=b")
	r, err := identify(req, body, m.Params[:])
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(req, &r, body, m)
	if err != nil {
		t.Fatal(err)
	}
	key := Key{AccessKeyID: "id", AccessKeySecret: "secret"}
	for range 2 {
		if err := p.Sign(req, key, Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	if m.rpc.method == "" || m.Params[0].Raw == "" || len(m.text) == 0 {
		t.Fatal("the request was not taken apart there")
	}
	m.Release()
	if !reflect.DeepEqual(m.rpc, rpc{}) || m.Params != (openapi.Room{}) {
		t.Errorf("released with %+v, %v", m.rpc, m.Params)
	}
}
