package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	devicemeshv1 "devicemesh.example/client/gen/devicemesh/v1"
)

func watchCommand(ctx context.Context, args []string) error {
	flags, connection := newFlags("watch", "")
	var devices, sensors list
	flags.Var(&devices, "devices", "`ids` of devices, with commas; all by default")
	flags.Var(&sensors, "sensors", "`names` of sensors, with commas; all by default")
	bucket := flags.Duration("bucket", 10*time.Second, "`size` of the windows, a multiple of 10s")
	messages := flags.Int("messages", 0, "end after so many messages; 0 for never")
	if err := flags.Parse(args); err != nil {
		return asUsageError(err)
	}
	conn, err := connection.dial()
	if err != nil {
		return err
	}
	defer conn.Close()

	// The end of the context ends the stream, whether the messages or Ctrl-C came first.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := devicemeshv1.NewQueryServiceClient(conn).WatchAggregates(ctx, &devicemeshv1.WatchAggregatesRequest{
		DeviceIds: devices,
		Sensors:   sensors,
		Bucket:    durationpb.New(*bucket),
	})
	if err != nil {
		return err
	}
	for seen := 1; *messages == 0 || seen <= *messages; seen++ {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if message.Snapshot {
			fmt.Printf("watching (windows so far: %d)\n", len(message.Buckets))
		}
		for _, each := range message.Buckets {
			row := each.Row
			fmt.Printf("%s %s %s: %d readings, average %.2f %s (%.2f to %.2f)\n",
				formatTime(each.Start), row.DeviceId, row.Sensor, row.Count, row.Average, row.Unit, row.Minimum, row.Maximum)
		}
	}
	return nil
}
