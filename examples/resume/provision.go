package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

const groups = 5

// provision is one start of the program. It does not ask how far an earlier one came: it makes
// all its calls, and the journal sees to it that each is made once.
func provision(ctx context.Context, out io.Writer, s settings) error {
	db, err := sql.Open("sqlite", s.journal)
	if err != nil {
		return err
	}
	defer db.Close()
	// Without KeepReplies, a start that finds a call done could not tell the group's ID.
	journal, err := sqljournal.Open(ctx, db, sqljournal.SQLite, sqljournal.Options{KeepReplies: true})
	if err != nil {
		return err
	}
	if err := look(ctx, out, journal, s); err != nil {
		return err
	}

	config, host := sdk.NewConfig().WithScheme("HTTPS"), s.endpoint
	if scheme, rest, isURL := strings.Cut(s.endpoint, "://"); isURL {
		config.WithScheme(strings.ToUpper(scheme))
		host = rest
	}
	key := credentials.NewAccessKeyCredential(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
	client, err := ess.NewClientWithOptions(s.region, config, key)
	if err != nil {
		return err
	}
	safe, err := retry.Wrap(client, key, func(t *retry.Transport) { t.Journal = journal })
	if err != nil {
		return err
	}
	defer safe.Transport.CloseIdleConnections()

	for n := 1; n <= groups; n++ {
		request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
		// The key names this call for good, so what it asks for must not differ between two starts.
		request.Domain, request.ScalingGroupName = host, s.name(n)
		request.MinSize, request.MaxSize = "0", "0"
		var info retry.Info
		trace := &retry.Trace{CallEnd: func(i retry.Info) { info = i }}
		err := safe.DoAction(retry.WithKey(s.kill.arm(ctx, n, trace), s.key(n)), request, response)
		if err != nil {
			return fmt.Errorf("%s: %w%s", s.key(n), err, advice(err))
		}
		how := "created"
		switch {
		case info.Replayed:
			how = "replayed"
		case info.Resumed:
			how = "resumed"
		}
		fmt.Fprintf(out, "  %s  %-8s  %s  requests sent: %d\n", s.key(n), how, response.ScalingGroupId, len(info.Attempts))
	}
	return nil
}

func (s settings) keys() string      { return fmt.Sprintf("stack/web-prod/%s/group-", s.run) }
func (s settings) key(n int) string  { return fmt.Sprint(s.keys(), n) }
func (s settings) name(n int) string { return fmt.Sprintf("web-prod-%s-%d", s.run, n) }

// look prints how many of the run's calls the journal knows.
func look(ctx context.Context, out io.Writer, journal *sqljournal.Journal, s settings) error {
	count := make(map[token.State]int)
	for record, err := range journal.List(ctx) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(record.Key, s.keys()) {
			count[record.State]++
		}
	}
	fmt.Fprintf(out, "  the journal knows of %d calls that are done, and %d that may be\n", count[token.Done], count[token.Open])
	return nil
}

// advice says what can be done about an error that leaves something open.
func advice(err error) string {
	i, ok := retry.InfoOf(err)
	switch {
	case errors.Is(err, token.ErrOtherCall):
		return "\nthe journal has another call under this key: give another -run, or another journal"
	case errors.Is(err, token.ErrExpired):
		return "\nlook whether the group is there, and tell the journal by its method Resolve"
	case ok && (i.Outcome == retry.Unknown || i.RecordOpen):
		return "\nthere may be a group: start the program again with the same journal and run, and it goes on"
	}
	return ""
}
