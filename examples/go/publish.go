package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	devicemeshv1 "devicemesh.example/client/gen/devicemesh/v1"
)

const (
	// A stream is one unit: it is acknowledged as a whole, when it is stored.
	readingsPerUnit = 5000
	// A frame takes 1000 readings and 1 MiB.
	readingsPerFrame = 500
	triesMax         = 5
)

func publishCommand(ctx context.Context, args []string) error {
	flags, connection := newFlags("publish", "FILE")
	if err := flags.Parse(args); err != nil {
		return asUsageError(err)
	}
	if flags.NArg() != 1 {
		return usageError("publish needs one FILE, after the flags")
	}
	readings, err := readFile(flags.Arg(0))
	if err != nil {
		return err
	}
	conn, err := connection.dial()
	if err != nil {
		return err
	}
	defer conn.Close()

	client := devicemeshv1.NewIngestServiceClient(conn)
	var accepted, refused uint64
	for unit := range slices.Chunk(readings, readingsPerUnit) {
		answer, err := publishSurely(ctx, client, unit)
		if err != nil {
			return fmt.Errorf("%d readings were accepted before: %w", accepted, err)
		}
		accepted += answer.Accepted
		refused += answer.Refused
		for _, each := range answer.RefusedReadings {
			fmt.Printf("refused %s: %s %s\n", each.Identity, each.FieldPath, each.Text)
		}
	}
	fmt.Printf("accepted %d, refused %d\n", accepted, refused)
	return nil
}

func readFile(name string) ([]*devicemeshv1.Reading, error) {
	if name == "-" {
		return readReadings(os.Stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	readings, err := readReadings(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return readings, nil
}

// publishSurely sends a unit again while the mesh is unavailable. That is safe: a reading that comes twice counts once.
func publishSurely(
	ctx context.Context, client devicemeshv1.IngestServiceClient, unit []*devicemeshv1.Reading,
) (*devicemeshv1.PublishReadingsResponse, error) {
	pause := 500 * time.Millisecond
	for try := 1; ; try++ {
		answer, err := publish(ctx, client, unit)
		if status.Code(err) != codes.Unavailable || try == triesMax {
			return answer, err
		}
		fmt.Fprintf(os.Stderr, "client: %s; trying again in %v\n", explain(err), pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		pause *= 2
	}
}

// publish sends a unit as one stream of frames. If it fails, none of it is acknowledged.
func publish(
	ctx context.Context, client devicemeshv1.IngestServiceClient, unit []*devicemeshv1.Reading,
) (*devicemeshv1.PublishReadingsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	stream, err := client.PublishReadings(ctx)
	if err != nil {
		return nil, err
	}
	for frame := range slices.Chunk(unit, readingsPerFrame) {
		err := stream.Send(&devicemeshv1.PublishReadingsRequest{Readings: frame})
		// The mesh has ended the stream; CloseAndRecv returns the reason.
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return stream.CloseAndRecv()
}
