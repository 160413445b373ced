package openapi

// Lookup returns the product of an operation, which its version and action name
// together, and the parameter that takes its client token, "" if it takes none. It
// reports whether the catalogue knows the operation.
func Lookup(version, action string) (product, token string, known bool) {
	product, known = tokenTakers[[2]string{version, action}]
	if !known {
		return "", "", false
	}
	return product, "ClientToken", true
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
