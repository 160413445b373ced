package integration

import (
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/alb"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/cbn"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/config"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/cs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/elasticsearch"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/gwlb"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/nas"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/polardb"
	r_kvstore "github.com/aliyun/alibaba-cloud-sdk-go/services/r-kvstore"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/rds"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/slb"
)

// inQuery create something in one product each, and are like most operations: RPC, with
// all parameters and the token in the query.
var inQuery = []operation{
	op(ecs.NewClientWithAccessKey, (*ecs.Client).RunInstances, "",
		func() *ecs.RunInstancesRequest {
			q := ecs.CreateRunInstancesRequest()
			q.ImageId, q.InstanceType = "aliyun_3_x64_20G_alibase_20240819.vhd", "ecs.g7.large"
			q.InstanceName, q.Description = "web-[1,4]-生产", special
			q.SecurityGroupIds, q.VSwitchId = &[]string{"sg-1", "sg-2"}, "vsw-1"
			q.Amount, q.UniqueSuffix = requests.NewInteger(3), requests.NewBoolean(true)
			q.SystemDisk.Encrypted, q.SystemDiskCategory, q.SystemDiskSize = "true", "cloud_essd", "40"
			q.DataDisk = &[]ecs.RunInstancesDataDisk{{Size: "200", Category: "cloud_essd"}, {SnapshotId: "s-1", DiskName: "数据 盘"}}
			q.NetworkInterface = &[]ecs.RunInstancesNetworkInterface{{VSwitchId: "vsw-1", SecurityGroupIds: &[]string{"sg-1"}}}
			q.Tag = &[]ecs.RunInstancesTag{{Key: "环境", Value: special}}
			q.UserData = "IyEvYmluL3NoCmVjaG8gaGVsbG8K+/=="
			return q
		}),
	op(rds.NewClientWithAccessKey, (*rds.Client).CreateDBInstance, "DBInstanceId",
		func() *rds.CreateDBInstanceRequest {
			q := rds.CreateCreateDBInstanceRequest()
			q.Engine, q.EngineVersion, q.DBInstanceClass = "MySQL", "8.0", "mysql.n2.serverless.1c"
			q.DBInstanceStorage, q.DBInstanceStorageType = requests.NewInteger(20), "cloud_essd"
			q.DBInstanceNetType, q.PayType, q.SecurityIPList = "Intranet", "Serverless", "10.0.0.0/8,192.168.0.1"
			q.DBInstanceDescription = special
			q.ServerlessConfig = rds.CreateDBInstanceServerlessConfig{MinCapacity: "0.5", MaxCapacity: "8", AutoPause: "true"}
			q.Tag = &[]rds.CreateDBInstanceTag{{Key: "环境", Value: "生产"}}
			return q
		}),
	op(alb.NewClientWithAccessKey, (*alb.Client).CreateLoadBalancer, "LoadBalancerId",
		func() *alb.CreateLoadBalancerRequest {
			q := alb.CreateCreateLoadBalancerRequest()
			q.LoadBalancerName, q.LoadBalancerEdition, q.AddressType, q.VpcId = "入口", "Standard", "Internet", "vpc-1"
			q.LoadBalancerBillingConfig.PayType = "PostPay"
			q.ModificationProtectionConfig = alb.CreateLoadBalancerModificationProtectionConfig{Status: "ConsoleProtection", Reason: special}
			q.DeletionProtectionEnabled = requests.NewBoolean(true)
			q.ZoneMappings = &[]alb.CreateLoadBalancerZoneMappings{
				{ZoneId: "cn-hangzhou-h", VSwitchId: "vsw-1"}, {ZoneId: "cn-hangzhou-i", VSwitchId: "vsw-2"},
			}
			return q
		}),
	op(nas.NewClientWithAccessKey, (*nas.Client).CreateFileSystem, "FileSystemId",
		func() *nas.CreateFileSystemRequest {
			q := nas.CreateCreateFileSystemRequest()
			q.FileSystemType, q.ProtocolType, q.StorageType = "standard", "NFS", "Performance"
			q.ZoneId, q.Description = "cn-hangzhou-h", special
			q.EncryptType = requests.NewInteger(1)
			return q
		}),
	op(cbn.NewClientWithAccessKey, (*cbn.Client).CreateTransitRouter, "TransitRouterId",
		func() *cbn.CreateTransitRouterRequest {
			q := cbn.CreateCreateTransitRouterRequest()
			q.CenId, q.TransitRouterName, q.TransitRouterDescription = "cen-1", "转发路由器", special
			q.SupportMulticast = requests.NewBoolean(false)
			q.TransitRouterCidrList = &[]cbn.CreateTransitRouterTransitRouterCidrList{{Name: "一 & 二", Cidr: "192.168.10.0/24", PublishCidrRoute: "true"}}
			q.Tag = &[]cbn.CreateTransitRouterTag{{Key: special, Value: special}}
			return q
		}),
	op(r_kvstore.NewClientWithAccessKey, (*r_kvstore.Client).CreateTairInstance, "",
		func() *r_kvstore.CreateTairInstanceRequest {
			q := r_kvstore.CreateCreateTairInstanceRequest()
			q.InstanceType, q.InstanceClass, q.InstanceName = "tair_rdb", "tair.rdb.2g", "缓存"
			q.ShardCount, q.Port = requests.NewInteger(2), requests.NewInteger(6379)
			q.Password, q.ChargeType = "Aa1!@#$%^&*()_+-=", "PostPaid"
			q.VpcId, q.VSwitchId, q.ZoneId = "vpc-1", "vsw-1", "cn-hangzhou-h"
			q.Tag = &[]r_kvstore.CreateTairInstanceTag{{Key: "环境", Value: special}}
			return q
		}),
	op(polardb.NewClientWithAccessKey, (*polardb.Client).CreateDBCluster, "DBClusterId",
		func() *polardb.CreateDBClusterRequest {
			q := polardb.CreateCreateDBClusterRequest()
			q.DBType, q.DBVersion, q.DBNodeClass, q.PayType = "PostgreSQL", "14", "polar.pg.x4.medium", "Postpaid"
			q.DBClusterDescription = special
			q.TDEStatus = requests.NewBoolean(true)
			q.Tag = &[]polardb.CreateDBClusterTag{{Key: "环境", Value: "测试 ~"}}
			return q
		}),
	op(slb.NewClientWithAccessKey, (*slb.Client).CreateLoadBalancer, "LoadBalancerId",
		func() *slb.CreateLoadBalancerRequest {
			q := slb.CreateCreateLoadBalancerRequest()
			q.LoadBalancerName, q.LoadBalancerSpec, q.AddressType = special, "slb.s1.small", "intranet"
			q.VpcId, q.VSwitchId = "vpc-1", "vsw-1"
			q.Tag = &[]slb.CreateLoadBalancerTag{{Key: "a.b", Value: special}}
			return q
		}),
}

// inForm have all parameters and the token in the form, but for those of the signature.
var inForm = []operation{
	op(gwlb.NewClientWithAccessKey, (*gwlb.Client).CreateLoadBalancer, "LoadBalancerId",
		func() *gwlb.CreateLoadBalancerRequest {
			q := gwlb.CreateCreateLoadBalancerRequest()
			q.LoadBalancerName, q.VpcId, q.AddressIpVersion = special, "vpc-1", "Ipv4"
			q.CrossZoneEnabled = requests.NewBoolean(true)
			q.ZoneMappings = &[]gwlb.CreateLoadBalancerZoneMappings{{ZoneId: "cn-hangzhou-h", VSwitchId: "vsw-1"}}
			q.Tag = &[]gwlb.CreateLoadBalancerTag{{Key: "环境", Value: special}}
			return q
		}),
	op(config.NewClientWithAccessKey, (*config.Client).CreateConfigRule, "ConfigRuleId",
		func() *config.CreateConfigRuleRequest {
			q := config.CreateCreateConfigRuleRequest()
			q.ConfigRuleName, q.Description = "存储空间 *", special
			q.SourceOwner, q.SourceIdentifier, q.ConfigRuleTriggerTypes = "ALIYUN", "oss-bucket-public-read-prohibited", "ConfigurationItemChangeNotification"
			q.ResourceTypesScope = &[]string{"ACS::OSS::Bucket", "ACS::ECS::Disk"}
			q.RiskLevel = requests.NewInteger(1)
			q.InputParameters = `{"tag1Key":"环境","expression":"a+b&c=d"}`
			return q
		}),
}

// inROA are of the ROA style: method and path name the operation. Elasticsearch spells
// the token in two ways.
var inROA = []operation{
	op(elasticsearch.NewClientWithAccessKey, (*elasticsearch.Client).CreateInstance, "",
		func() *elasticsearch.CreateInstanceRequest {
			q := elasticsearch.CreateCreateInstanceRequest()
			setJSON(q.RoaRequest, `{"description":"检索 & 日志","esVersion":"7.10_with_X-Pack","nodeAmount":3,"paymentType":"postpaid",`+
				`"nodeSpec":{"spec":"elasticsearch.sn2ne.large","disk":20,"diskType":"cloud_ssd"},"networkConfig":{"type":"vpc","vpcId":"vpc-1"}}`)
			return q
		}),
	op(elasticsearch.NewClientWithAccessKey, (*elasticsearch.Client).CreatePipelines, "",
		func() *elasticsearch.CreatePipelinesRequest {
			q := elasticsearch.CreateCreatePipelinesRequest()
			q.InstanceId, q.Trigger = "ls-cn-oew1q8bev0002", requests.NewBoolean(true)
			// The SDK signs this as it is and sends it encoded; the body goes as a form's parameter.
			q.QueryParams["note"] = special
			q.Body = `[{"pipelineId":"管道","config":"input { } filter { } output { }","workers":2}]`
			return q
		}),
}

// createCluster is of the ROA style and takes no token.
var createCluster = op(cs.NewClientWithAccessKey, (*cs.Client).CreateCluster, "",
	func() *cs.CreateClusterRequest {
		q := cs.CreateCreateClusterRequest()
		setJSON(q.RoaRequest, `{"name":"集群 1","cluster_type":"ManagedKubernetes","region_id":"cn-hangzhou","vswitch_ids":["vsw-1","vsw-2"],`+
			`"tags":[{"key":"环境","value":"生产 + 测试"}],"snat_entry":true}`)
		return q
	})

func setJSON(q *requests.RoaRequest, body string) {
	q.SetContent([]byte(body))
	q.Headers["Content-Type"] = requests.Json
}
