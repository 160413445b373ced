package integration
import (
 _ "github.com/aliretry/aliretry/retry"
 _ "github.com/aliretry/aliretry/retry/retrytest"
 _ "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
 _ "github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
 _ "github.com/aliyun/alibaba-cloud-sdk-go/services/privatelink"
 _ "pgregory.net/rapid"
)
