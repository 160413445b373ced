// Command resume provisions five scaling groups and keeps a journal of its calls in a SQLite file:
// it can be killed at any time, and when it is started again it goes on, and ends with five.
//
// Without flags it tells the whole story: it starts a fake endpoint, then itself, which is killed
// in the middle, then itself again, which ends what was begun, and once more. With -endpoint and
// -journal, and ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET in the environment,
// it calls Alibaba Cloud and creates five real, empty scaling groups.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// failed is the exit code of a failure. It differs from 1, with which Windows has a process end
// that was killed.
const failed = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(failed)
	}
}

// settings are what the program is started with.
type settings struct {
	journal, endpoint, region, run string
	kill                           killAt
}

func run(ctx context.Context, out io.Writer, args []string) error {
	var s settings
	flags := flag.NewFlagSet("resume", flag.ContinueOnError)
	flags.StringVar(&s.journal, "journal", "", "`file` of the journal, to be the same in every start; for the story, by default a temporary one")
	flags.StringVar(&s.endpoint, "endpoint", "", "`host` or URL of the Auto Scaling API, such as ess.aliyuncs.com; empty: tell the story, with a fake one")
	flags.StringVar(&s.region, "region", "cn-qingdao", "region `ID`")
	flags.StringVar(&s.run, "run", "run-1", "`name` of the run, a part of every key: another run makes other groups")
	flags.Var(&s.kill, "kill", "`group` from 1 to 5 in whose call the program kills itself, and the point in it, such as 3 or 3:sent; the points are\n"+pointNames())
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	case s.endpoint == "":
		return story(ctx, out, s)
	case s.journal == "":
		return errors.New("-endpoint needs -journal: without its file the next start cannot go on")
	}
	return provision(ctx, out, s)
}
