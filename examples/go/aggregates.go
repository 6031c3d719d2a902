package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	devicemeshv1 "devicemesh.example/client/gen/devicemesh/v1"
)

func aggregatesCommand(ctx context.Context, args []string) error {
	flags, connection := newFlags("aggregates", "")
	var devices, sensors list
	var since, to instant
	flags.Var(&devices, "devices", "`ids` of devices, with commas; all by default")
	flags.Var(&sensors, "sensors", "`names` of sensors, with commas; all by default")
	flags.Var(&since, "since", "readings from this `time` on (2026-01-31T12:00:00Z)")
	flags.Var(&to, "to", "readings before this `time`")
	if err := flags.Parse(args); err != nil {
		return asUsageError(err)
	}
	conn, err := connection.dial()
	if err != nil {
		return err
	}
	defer conn.Close()

	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := devicemeshv1.NewQueryServiceClient(conn)
	request := &devicemeshv1.GetAggregatesRequest{
		DeviceIds: devices,
		Sensors:   sensors,
		Since:     since.timestamp,
		To:        to.timestamp,
	}
	var rows []*devicemeshv1.AggregateRow
	for {
		// A page is small enough for grpc-go's limit of 4 MiB.
		page, err := client.GetAggregates(ctx, request)
		if err != nil {
			return err
		}
		rows = append(rows, page.Rows...)
		if page.NextPageToken == "" {
			printRows(rows)
			fmt.Printf("complete through %s\n", formatTime(page.Coverage.GetCompleteThrough()))
			return nil
		}
		request.PageToken = page.NextPageToken
	}
}

func printRows(rows []*devicemeshv1.AggregateRow) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tSENSOR\tCOUNT\tAVERAGE\tMINIMUM\tMAXIMUM\tUNIT")
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%s\t%d\t%.2f\t%.2f\t%.2f\t%s\n",
			row.DeviceId, row.Sensor, row.Count, row.GetAverage(), row.GetMinimum(), row.GetMaximum(), row.Unit)
	}
	table.Flush()
}

func formatTime(at *timestamppb.Timestamp) string {
	return at.AsTime().Format(time.RFC3339)
}

// An instant is a flag that holds a time, or none.
type instant struct{ timestamp *timestamppb.Timestamp }

func (i *instant) String() string {
	if i.timestamp == nil {
		return ""
	}
	return formatTime(i.timestamp)
}

func (i *instant) Set(text string) error {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return err
	}
	i.timestamp = timestamppb.New(at)
	return nil
}
