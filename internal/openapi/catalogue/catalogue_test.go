package catalogue

import (
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/openapi/catalogue/fulllist"
)

var (
	tokenTexts = map[Token]string{NoToken: "-", TokenInQuery: "query ClientToken", TokenInForm: "form ClientToken", LowerTokenQuery: "query clientToken"}
	safetyText = map[Safety]string{ReadOnly: "read", ReplaySafe: "set", Unsafe: "write"}
)

// Every line of the full list is found in the table as it stands there, by the host of
// its product where the name is shared.
func TestLookupKnowsTheWholeList(t *testing.T) {
	shared := make(map[[2]string]int)
	all := fulllist.All()
	for _, o := range all {
		shared[[2]string{o.Version, o.Action}]++
		e, known := Lookup(o.Version, o.Action, strings.ToLower(o.Product)+".cn-hangzhou.aliyuncs.com")
		dryRun := map[DryRun]string{UpperDryRun: "DryRun", LowerDryRun: "dryRun", NoDryRun: "-"}[e.DryRun]
		seconds, err := time.ParseDuration(o.Timeout + "s")
		if err != nil {
			t.Fatal(err)
		}
		if !known || e.Product != o.Product || tokenTexts[e.Token] != o.Token || safetyText[e.Safety] != o.Safety || dryRun != o.DryRun || e.Timeout != seconds {
			t.Errorf("%v: %v %+v", o, known, e)
		}
	}
	pairs := 0
	for _, n := range shared {
		if n > 1 {
			pairs++
		}
	}
	if len(all) != 16495 || len(shared) != 16418 || pairs != 74 || len(table) != 16495*recordSize {
		t.Errorf("%d operations of %d names, %d of them shared, in %d bytes", len(all), len(shared), pairs, len(table))
	}
}

// The totals of v1.63.107. The numbers of operations, tokens and dry runs of the four
// products are also what grep counts in their directories.
func TestTotals(t *testing.T) {
	type count struct{ operations, rpc, query, form, lower, upperROA, timeouts, dryRuns, reads, sets, others int }
	counts := make(map[string]*count)
	for _, o := range fulllist.All() {
		for _, key := range []string{"", o.Product} {
			c := counts[key]
			if c == nil {
				c = new(count)
				counts[key] = c
			}
			c.operations++
			add := func(n *int, yes bool) {
				if yes {
					*n++
				}
			}
			rpc := o.Style == "RPC"
			add(&c.rpc, rpc)
			add(&c.query, rpc && o.Token == "query ClientToken")
			add(&c.form, rpc && o.Token == "form ClientToken")
			add(&c.lower, o.Token == "query clientToken")
			add(&c.upperROA, !rpc && o.Token == "query ClientToken")
			add(&c.timeouts, o.Timeout != "0")
			add(&c.dryRuns, o.DryRun != "-")
			// Of those that take no token:
			add(&c.reads, o.Token == "-" && o.Safety == "read")
			add(&c.sets, o.Token == "-" && o.Safety == "set")
			add(&c.others, o.Token == "-" && o.Safety == "write")
		}
	}
	for product, want := range map[string]count{
		"": {operations: 16495, rpc: 15014, query: 1078, form: 107, lower: 60, upperROA: 44,
			timeouts: 216, dryRuns: 451, reads: 6873, sets: 221, others: 8112},
		"Ess":         {operations: 80, rpc: 80, query: 22, reads: 20, others: 38},
		"Vpc":         {operations: 387, rpc: 387, query: 232, dryRuns: 100, reads: 90, others: 65},
		"Ecs":         {operations: 359, rpc: 359, query: 86, timeouts: 216, dryRuns: 27, reads: 117, others: 156},
		"Privatelink": {operations: 39, rpc: 39, query: 21, form: 1, dryRuns: 22, reads: 14, others: 3},
	} {
		if got := counts[product]; got == nil || *got != want {
			t.Errorf("%q: %+v, want %+v", product, got, want)
		}
	}
}

// A name that several products share goes by the host and, where the host does not tell,
// by what holds for all of them.
func TestLookupShared(t *testing.T) {
	tests := []struct {
		version, action, host string
		want                  Entry
	}{
		{"2019-01-01", "CreateBackupPlan", "cassandra.aliyuncs.com", Entry{Product: "Cassandra", Token: TokenInQuery, Safety: Unsafe}},
		{"2019-01-01", "CreateBackupPlan", "HBase.aliyuncs.com", Entry{Product: "HBase", Token: NoToken, Safety: Unsafe}},
		{"2019-01-01", "CreateBackupPlan", "hbase-vpc.cn-hangzhou.aliyuncs.com:443", Entry{Product: "HBase", Token: NoToken, Safety: Unsafe}},
		{"2019-01-01", "CreateBackupPlan", "hbaseue.aliyuncs.com", Entry{Token: TokenUnknown, Safety: Unsafe}},
		{"2019-01-01", "CreateBackupPlan", "", Entry{Token: TokenUnknown, Safety: Unsafe}},
		{"2019-01-01", "CreateCluster", "127.0.0.1:80", Entry{Token: TokenInQuery, Safety: Unsafe}},
		{"2019-01-01", "DescribeRegions", "", Entry{Token: NoToken, Safety: ReadOnly}},
		{"2017-08-01", "UntagResources", "polardb.aliyuncs.com", Entry{Product: "polardb", Token: NoToken, Safety: Unsafe}},
		{"2020-02-06", "DeleteNamespace", "acm.aliyuncs.com", Entry{Product: "acm", Token: NoToken, Safety: ReplaySafe}},
	}
	for _, tt := range tests {
		if e, known := Lookup(tt.version, tt.action, tt.host); !known || e != tt.want {
			t.Errorf("%s %s at %q: %+v, %v; want %+v", tt.version, tt.action, tt.host, e, known, tt.want)
		}
	}
}

// What two operations of one name disagree about is not known, or judged by the worse.
func TestCommon(t *testing.T) {
	a := Entry{Product: "A", Token: TokenInQuery, Safety: ReadOnly, DryRun: UpperDryRun, Timeout: 20 * time.Second}
	b := Entry{Product: "B", Token: NoToken, Safety: Unsafe, DryRun: NoDryRun, Timeout: 30 * time.Second}
	for _, got := range []Entry{common(a, b), common(b, a)} {
		got.Product = ""
		if want := (Entry{Token: TokenUnknown, Safety: Unsafe, DryRun: NoDryRun, Timeout: 30 * time.Second}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if common(a, a) != a {
		t.Errorf("%+v, want %+v", common(a, a), a)
	}
}

func TestLookupUnknown(t *testing.T) {
	for _, name := range [][2]string{{"2014-08-29", "CreateScalingGroup"}, {"2014-08-28", "createScalingGroup"}, {"", ""}, {"2014-08-2", "8CreateScalingGroup"}} {
		if e, known := Lookup(name[0], name[1], "ess.aliyuncs.com"); known || e != (Entry{}) {
			t.Errorf("%v: %+v", name, e)
		}
	}
	if search(0) != 0 || search(^uint64(0)) != len(table) {
		t.Error("the ends of the table are not found")
	}
}

func TestPackRefusesWhatDoesNotFit(t *testing.T) {
	for _, fits := range []bool{true, false} {
		e, product := Entry{Timeout: 255 * time.Second}, 0
		if !fits {
			e.Timeout += time.Second
		}
		if _, err := Pack(e, product); (err == nil) != fits {
			t.Errorf("a timeout of %v: %v", e.Timeout, err)
		}
	}
	if _, err := Pack(Entry{}, 1<<(32-productShift)); err == nil {
		t.Error("a product too many fits")
	}
}

func BenchmarkLookup(b *testing.B) {
	for name, action := range map[string]string{"known": "CreateScalingGroup", "unknown": "CreateSomethingNew"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Lookup("2014-08-28", action, "ess.aliyuncs.com")
			}
		})
	}
	b.Run("all in turn", func(b *testing.B) {
		var names [1 << 10][2]string // all over the table, few enough not to be what is measured
		all := fulllist.All()
		for i := range names {
			o := all[i*7919%len(all)]
			names[i] = [2]string{strings.Clone(o.Version), strings.Clone(o.Action)}
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			name := &names[i%len(names)]
			Lookup(name[0], name[1], "ess.aliyuncs.com")
		}
	})
}

func TestLookupDoesNotAllocate(t *testing.T) {
	for _, host := range []string{"hbase.aliyuncs.com", ""} {
		if n := testing.AllocsPerRun(100, func() { Lookup("2019-01-01", "CreateBackupPlan", host) }); n != 0 {
			t.Errorf("%v allocations at %q", n, host)
		}
	}
}
