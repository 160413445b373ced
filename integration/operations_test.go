package integration

import (
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/privatelink"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
)

// special is a text with whatever the encodings of the wire disagree about.
const special = "弹性伸缩 组*~+%&=/?#'\"<>;,"

// Where a matrix would grow too large, one operation of each product stands for the
// others, or one for each way in which requests carry their parameters.
var (
	createScalingGroup = op(ess.NewClientWithAccessKey, (*ess.Client).CreateScalingGroup, "ScalingGroupId",
		func() *ess.CreateScalingGroupRequest {
			q := ess.CreateCreateScalingGroupRequest()
			q.ScalingGroupName = special
			q.MinSize, q.MaxSize = requests.NewInteger(1), requests.NewInteger(20)
			q.GroupDeletionProtection = requests.NewBoolean(true)
			q.VSwitchIds = &[]string{"vsw-bp1", "vsw-bp2"}
			q.Tag = &[]ess.CreateScalingGroupTag{{Key: "环境", Value: special, Propagate: "true"}, {Key: "a.b"}}
			q.CapacityOptions.OnDemandBaseCapacity = "2"
			q.VServerGroup = &[]ess.CreateScalingGroupVServerGroup{{
				LoadBalancerId:        "lb-1",
				VServerGroupAttribute: &[]ess.CreateScalingGroupVServerGroupVServerGroupAttribute{{VServerGroupId: "rsp-1", Port: "80"}},
			}}
			return q
		})
	createVpc = op(vpc.NewClientWithAccessKey, (*vpc.Client).CreateVpc, "VpcId",
		func() *vpc.CreateVpcRequest {
			q := vpc.CreateCreateVpcRequest()
			q.VpcName, q.Description = "专有网络", special
			q.CidrBlock = "172.16.0.0/12"
			q.EnableIpv6 = requests.NewBoolean(false)
			q.Tag = &[]vpc.CreateVpcTag{{Key: "环境", Value: special}}
			return q
		})
	createVpcEndpoint = op(privatelink.NewClientWithAccessKey, (*privatelink.Client).CreateVpcEndpoint, "EndpointId",
		func() *privatelink.CreateVpcEndpointRequest {
			q := privatelink.CreateCreateVpcEndpointRequest()
			q.EndpointName, q.EndpointDescription = "终端节点", special
			q.ServiceId, q.VpcId = "epsrv-1", "vpc-1"
			q.SecurityGroupId = &[]string{"sg-1", "sg-2"}
			q.Zone = &[]privatelink.CreateVpcEndpointZone{{ZoneId: "cn-hangzhou-b", VSwitchId: "vsw-1", Ip: "172.16.0.7"}}
			return q
		})
	onePerProduct = slices.Concat([]operation{createScalingGroup, createVpc, createVpcEndpoint}, inQuery, inForm, inROA[:1])
	onePerWay     = []operation{createScalingGroup, inForm[0], inROA[0], inROA[1]}
)

// operations take a client token.
var operations = slices.Concat(documented, inQuery, inForm, inROA)

// documented are the nine that the Ensure idempotence page of Auto Scaling lists, and
// four of VPC and PrivateLink.
var documented = []operation{
	createScalingGroup,
	op(ess.NewClientWithAccessKey, (*ess.Client).CreateScalingConfiguration, "ScalingConfigurationId",
		func() *ess.CreateScalingConfigurationRequest {
			q := ess.CreateCreateScalingConfigurationRequest()
			q.ScalingGroupId, q.ScalingConfigurationName = "asg-1", "伸缩配置 (1)"
			q.InstanceTypes = &[]string{"ecs.g7.large", "ecs.g7.xlarge"}
			q.Tags = `{"环境":"生产 + 测试"}`
			q.UserData = "IyEvYmluL3NoCg=="
			q.SchedulerOptions = map[string]any{"ManagedPrivateSpaceId": "eps-1"}
			q.DataDisk = &[]ess.CreateScalingConfigurationDataDisk{{Size: "40", Categories: &[]string{"cloud_essd", "cloud"}}}
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).RemoveInstances, "ScalingActivityId",
		func() *ess.RemoveInstancesRequest {
			q := ess.CreateRemoveInstancesRequest()
			q.ScalingGroupId = "asg-1"
			q.InstanceId = &[]string{"i-1", "i-2", "i-3"}
			q.DecreaseDesiredCapacity = requests.NewBoolean(true)
			q.LifecycleHookContext.IgnoredLifecycleHookIds = &[]string{"ash-1"}
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).ExecuteScalingRule, "ScalingActivityId",
		func() *ess.ExecuteScalingRuleRequest {
			q := ess.CreateExecuteScalingRuleRequest()
			q.ScalingRuleAri = "ari:acs:ess:cn-hangzhou:1234567890:scalingrule/asr-1"
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).AttachDBInstances, "",
		func() *ess.AttachDBInstancesRequest {
			q := ess.CreateAttachDBInstancesRequest()
			q.ScalingGroupId = "asg-1"
			q.DBInstance = &[]string{"rm-1", "rm-2"}
			q.ForceAttach = requests.NewBoolean(true)
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).AttachServerGroups, "ScalingActivityId",
		func() *ess.AttachServerGroupsRequest {
			q := ess.CreateAttachServerGroupsRequest()
			q.ScalingGroupId = "asg-1"
			q.ServerGroup = &[]ess.AttachServerGroupsServerGroup{
				{ServerGroupId: "sgp-1", Port: "80", Weight: "100", Type: "ALB"},
				{ServerGroupId: "sgp-2", Port: "443", Weight: "50", Type: "NLB"},
			}
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).AttachLoadBalancers, "ScalingActivityId",
		func() *ess.AttachLoadBalancersRequest {
			q := ess.CreateAttachLoadBalancersRequest()
			q.ScalingGroupId = "asg-1"
			q.LoadBalancer = &[]string{"lb-1", "lb-2"}
			q.Async = requests.NewBoolean(true)
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).AttachAlbServerGroups, "ScalingActivityId",
		func() *ess.AttachAlbServerGroupsRequest {
			q := ess.CreateAttachAlbServerGroupsRequest()
			q.ScalingGroupId = "asg-1"
			q.AlbServerGroup = &[]ess.AttachAlbServerGroupsAlbServerGroup{{AlbServerGroupId: "sgp-1", Port: "80", Weight: "100"}}
			return q
		}),
	op(ess.NewClientWithAccessKey, (*ess.Client).AttachVServerGroups, "",
		func() *ess.AttachVServerGroupsRequest {
			q := ess.CreateAttachVServerGroupsRequest()
			q.ScalingGroupId = "asg-1"
			q.VServerGroup = &[]ess.AttachVServerGroupsVServerGroup{{
				LoadBalancerId: "lb-1",
				VServerGroupAttribute: &[]ess.AttachVServerGroupsVServerGroupVServerGroupAttribute{
					{VServerGroupId: "rsp-1", Port: "80", Weight: "100"}, {VServerGroupId: "rsp-2", Port: "443"},
				},
			}}
			return q
		}),
	createVpc,
	op(vpc.NewClientWithAccessKey, (*vpc.Client).CreateVSwitch, "VSwitchId",
		func() *vpc.CreateVSwitchRequest {
			q := vpc.CreateCreateVSwitchRequest()
			q.VpcId, q.ZoneId, q.CidrBlock = "vpc-1", "cn-hangzhou-b", "172.16.0.0/24"
			q.VSwitchName = "交换机"
			q.Tag = &[]vpc.CreateVSwitchTag{{Key: special, Value: special}}
			return q
		}),
	op(vpc.NewClientWithAccessKey, (*vpc.Client).AssociateEipAddress, "",
		func() *vpc.AssociateEipAddressRequest {
			q := vpc.CreateAssociateEipAddressRequest()
			q.AllocationId, q.InstanceId, q.InstanceType = "eip-1", "i-1", "EcsInstance"
			return q
		}),
	createVpcEndpoint,
}

// tokenless are writes that take no token.
var (
	deleteScalingGroup = op(ess.NewClientWithAccessKey, (*ess.Client).DeleteScalingGroup, "",
		func() *ess.DeleteScalingGroupRequest {
			q := ess.CreateDeleteScalingGroupRequest()
			q.ScalingGroupId = "asg-1"
			q.ForceDelete = requests.NewBoolean(true)
			return q
		})
	tokenless = []operation{
		deleteScalingGroup,
		op(vpc.NewClientWithAccessKey, (*vpc.Client).ModifyVpcAttribute, "",
			func() *vpc.ModifyVpcAttributeRequest {
				q := vpc.CreateModifyVpcAttributeRequest()
				q.VpcId, q.VpcName = "vpc-1", special
				return q
			}),
		createCluster,
	}
)
