// Command client sends readings to a Device Mesh, asks it for aggregates, and watches them change.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc/status"
)

const usage = `usage: client COMMAND [flags]

  publish FILE   sends the readings of a CSV file ("-" for standard input)
  aggregates     prints count, average, minimum and maximum of each series
  watch          prints each window as it changes, until Ctrl-C

"client COMMAND -help" lists the flags.
`

// A command reads its flags and does its work.
type command func(ctx context.Context, args []string) error

var commands = map[string]command{
	"publish":    publishCommand,
	"aggregates": aggregatesCommand,
	"watch":      watchCommand,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run gives the exit code: 0 if it went well, 1 if not, 2 if it received no valid command.
func run(ctx context.Context, args []string) int {
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	err := commands[args[0]](ctx, args[1:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	// Ctrl-C is how a watch ends.
	case ctx.Err() != nil:
		return 0
	}
	var wrong usageError
	if errors.As(err, &wrong) {
		fmt.Fprintf(os.Stderr, "client: %v\n", err)
		return 2
	}
	fmt.Fprintf(os.Stderr, "client: %s\n", explain(err))
	return 1
}

// A usageError is a mistake of who called the command.
type usageError string

func (e usageError) Error() string { return string(e) }

// explain puts a status of gRPC as text: the code and the message of the mesh.
func explain(err error) string {
	if s, ok := status.FromError(err); ok {
		return fmt.Sprintf("%s: %s", s.Code(), s.Message())
	}
	return err.Error()
}

// newFlags makes the flags of a command, with those of the connection.
func newFlags(name, arguments string) (*flag.FlagSet, *connection) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: client %s [flags] %s\n", name, arguments)
		flags.PrintDefaults()
	}
	var c connection
	c.register(flags)
	return flags, &c
}

// A list is a flag whose values are separated by commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	*l = strings.Split(text, ",")
	return nil
}

// asUsageError distinguishes a wrong flag, which the flags have printed already, from a question for help.
func asUsageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError(err.Error())
}
