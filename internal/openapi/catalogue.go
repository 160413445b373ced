package openapi

// Operation is what the catalogue knows of one operation.
type Operation struct {
	Product, Version, Action string
	Token                    string // name of the parameter that takes the client token; empty: takes none
}

// Lookup finds an operation by its version and action, which name it together.
func Lookup(version, action string) (Operation, bool) {
	product, ok := tokenTakers[[2]string{version, action}]
	if !ok {
		return Operation{}, false
	}
	return Operation{Product: product, Version: version, Action: action, Token: "ClientToken"}, true
}

// tokenTakers are operations documented to take a ClientToken: the Ensure idempotence
// page of Auto Scaling lists its nine, the API references of VPC and PrivateLink name
// theirs in the parameter tables.
var tokenTakers = map[[2]string]string{
	{"2014-08-28", "CreateScalingGroup"}:         "Ess",
	{"2014-08-28", "CreateScalingConfiguration"}: "Ess",
	{"2014-08-28", "RemoveInstances"}:            "Ess",
	{"2014-08-28", "ExecuteScalingRule"}:         "Ess",
	{"2014-08-28", "AttachDBInstances"}:          "Ess",
	{"2014-08-28", "AttachServerGroups"}:         "Ess",
	{"2014-08-28", "AttachLoadBalancers"}:        "Ess",
	{"2014-08-28", "AttachAlbServerGroups"}:      "Ess",
	{"2014-08-28", "AttachVServerGroups"}:        "Ess",
	{"2016-04-28", "CreateVpc"}:                  "Vpc",
	{"2016-04-28", "CreateVSwitch"}:              "Vpc",
	{"2016-04-28", "AssociateEipAddress"}:        "Vpc",
	{"2020-04-15", "CreateVpcEndpoint"}:          "Privatelink",
}
