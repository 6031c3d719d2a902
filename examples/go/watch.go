package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	devicemeshv1 "devicemesh.example/client/gen/devicemesh/v1"
)

// A pause, so that a mesh that comes back is not asked by all watchers at once.
const watchPause = time.Second

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

	request := &devicemeshv1.WatchAggregatesRequest{
		DeviceIds: devices,
		Sensors:   sensors,
		Bucket:    durationpb.New(*bucket),
	}
	client := devicemeshv1.NewQueryServiceClient(conn)
	for {
		err := watch(ctx, client, request, *messages)
		if status.Code(err) != codes.Unavailable {
			return err
		}
		// The mesh is unavailable, or restarts what served this stream. The next one begins with all the windows.
		fmt.Fprintf(os.Stderr, "client: %s; trying again in %v\n", explain(err), watchPause)
		select {
		case <-time.After(watchPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch prints what one stream brings, until it ends or has brought so many messages (0 for any number).
func watch(
	ctx context.Context, client devicemeshv1.QueryServiceClient, request *devicemeshv1.WatchAggregatesRequest, messages int,
) error {
	// The end of the context ends the stream, whether the messages or Ctrl-C came first.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.WatchAggregates(ctx, request)
	if err != nil {
		return err
	}
	for seen := 1; messages == 0 || seen <= messages; seen++ {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if message.Snapshot {
			fmt.Printf("watching (windows so far: %d)\n", len(message.Buckets))
		}
		for _, each := range message.Buckets {
			row := each.Row
			fmt.Printf("%s %s %s: count %d, average %.2f %s (%.2f to %.2f)\n",
				formatTime(each.Start), row.DeviceId, row.Sensor, row.Count, row.GetAverage(), row.Unit, row.GetMinimum(), row.GetMaximum())
		}
	}
	return nil
}
