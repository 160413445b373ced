package retry

import (
	"cmp"
	"errors"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/utils"
)

// unsigned are the credentials for building a request that the Transport is to sign. In the RPC
// style they stop the SDK where it would begin to sign, which takes it as long as all else that it
// does for a call.
type unsigned struct {
	keyID, provider string // whose request it is, as far as it shows; a failed look-up's error shows all that stands in its URL
	region          string // the client's
	request         requests.AcsRequest
}

var errUnsigned = errors.New("the Transport signs it")

// GetCredentials returns what a look-up of the request's endpoint shows, which comes before the
// request has one, and else errUnsigned.
func (u *unsigned) GetCredentials() (*credentials.Credentials, error) {
	if u.request.GetStyle() == requests.RPC && u.request.GetDomain() != "" {
		return nil, errUnsigned
	}
	return &credentials.Credentials{AccessKeyId: u.keyID, ProviderName: u.provider}, nil
}

func (u *unsigned) GetProviderName() string { return u.provider }

// complete adds to the request what the SDK would have added beside the signature.
func (u *unsigned) complete() {
	query, headers := u.request.GetQueryParams(), u.request.GetHeaders()
	query["Version"], query["Action"], query["Format"] = u.request.GetVersion(), u.request.GetActionName(), u.request.GetAcceptFormat()
	query["AccessKeyId"], query["SignatureType"] = u.keyID, ""
	if _, given := query["TimeStamp"]; given { // the signer would take it for this one
		query["Timestamp"] = ""
	}
	if _, given := query["RegionId"]; !given {
		query["RegionId"] = cmp.Or(u.request.GetRegionId(), u.region)
	}
	headers["Content-Type"], headers["x-acs-credentials-provider"] = requests.Form, u.provider
	u.request.SetContent([]byte(utils.GetUrlFormedMap(u.request.GetFormParams())))
}
