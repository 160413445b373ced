package retry

import (
	"cmp"
	"errors"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/utils"
)

// noCredentials are those of a request that the Transport is to sign.
type noCredentials struct{}

func (noCredentials) GetCredentials() (*credentials.Credentials, error) {
	return &credentials.Credentials{}, nil
}
func (noCredentials) GetProviderName() string { return "" }

// keyOnly tells whose request it is that the Transport is to sign; a failed look-up's error
// shows all that stands in its URL.
type keyOnly struct{ of *credentials.Credentials }

func (k keyOnly) GetCredentials() (*credentials.Credentials, error) {
	return &credentials.Credentials{AccessKeyId: k.of.AccessKeyId, ProviderName: k.of.ProviderName}, nil
}
func (k keyOnly) GetProviderName() string { return k.of.ProviderName }

// unsigned are the credentials for building a request that the Transport is to sign. In the RPC
// style they stop the SDK where it would begin to sign, which takes it as long as all else that it
// does for a call.
type unsigned struct {
	credentials.CredentialsProvider
	request requests.AcsRequest
}

var errUnsigned = errors.New("the Transport signs it")

// GetCredentials returns those for a look-up of the request's endpoint, which comes before the
// request has one, and else errUnsigned.
func (u unsigned) GetCredentials() (*credentials.Credentials, error) {
	if u.request.GetStyle() == requests.RPC && u.request.GetDomain() != "" {
		return nil, errUnsigned
	}
	return u.CredentialsProvider.GetCredentials()
}

// completed adds to a request what signing it would have added beside the signature, if err tells
// that the SDK was stopped.
func completed(builder *sdk.Client, request requests.AcsRequest, err error) error {
	if !errors.Is(err, errUnsigned) {
		return err
	}
	provider := *hidden[credentials.CredentialsProvider](builder, "credentialsProvider")
	c, err := provider.(unsigned).CredentialsProvider.GetCredentials()
	if err != nil {
		return err
	}
	query, headers := request.GetQueryParams(), request.GetHeaders()
	query["Version"], query["Action"], query["Format"] = request.GetVersion(), request.GetActionName(), request.GetAcceptFormat()
	query["AccessKeyId"], query["SignatureType"] = c.AccessKeyId, ""
	if _, given := query["TimeStamp"]; given { // the signer would take it for this one
		query["Timestamp"] = ""
	}
	if _, given := query["RegionId"]; !given {
		query["RegionId"] = cmp.Or(request.GetRegionId(), *hidden[string](builder, "regionId"))
	}
	headers["Content-Type"], headers["x-acs-credentials-provider"] = requests.Form, c.ProviderName
	request.SetContent([]byte(utils.GetUrlFormedMap(request.GetFormParams())))
	return nil
}
