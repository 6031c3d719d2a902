"""Sends readings to a Device Mesh, asks it for aggregates, and watches them change."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TextIO

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

import connection
from devicemesh.v1 import ingest_service_pb2, ingest_service_pb2_grpc, query_service_pb2, query_service_pb2_grpc
from devicemesh.v1.reading_pb2 import Reading
from readings import read_readings

# A stream is one unit: it is acknowledged as a whole, when it is stored.
READINGS_PER_UNIT = 5000
# A frame has at most 1000 readings and 1 MiB.
READINGS_PER_FRAME = 500
TRIES_MAX = 5
# In seconds; the jitter keeps watchers from reconnecting at the same moment after an outage.
WATCH_PAUSE = 1.0


def publish(channel: grpc.Channel, arguments: argparse.Namespace) -> None:
    """Sends the readings of a CSV file, unit by unit, and prints what became of them."""
    stub = ingest_service_pb2_grpc.IngestServiceStub(channel)
    accepted = refused = 0
    with open_file(arguments.file) as file:
        readings = read_readings(file)
        while unit := list(islice(readings, READINGS_PER_UNIT)):
            answer = publish_surely(stub, unit)
            accepted += answer.accepted
            refused += answer.refused
            for each in answer.refused_readings:
                print(f"refused {each.identity}: {each.field_path} {each.text}")
    print(f"accepted {accepted}, refused {refused}")


def open_file(name: str) -> AbstractContextManager[TextIO]:
    """The file, or for "-" the standard input."""
    return nullcontext(sys.stdin) if name == "-" else Path(name).open()


def publish_surely(
    stub: ingest_service_pb2_grpc.IngestServiceStub, unit: list[Reading]
) -> ingest_service_pb2.PublishReadingsResponse:
    """Sends a unit again while the mesh is unavailable. That is safe: a reading that comes twice counts once."""
    pause = 0.5
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            return stub.PublishReadings(frames(unit), timeout=60)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or tries_left == 0:
                raise
            print(f"client: {explain(error)}; trying again in {pause} s", file=sys.stderr)
        time.sleep(pause)
        pause *= 2
    raise AssertionError("the last try returns or raises")


def frames(unit: list[Reading]) -> Iterator[ingest_service_pb2.PublishReadingsRequest]:
    """The unit as the frames of one stream."""
    for start in range(0, len(unit), READINGS_PER_FRAME):
        yield ingest_service_pb2.PublishReadingsRequest(readings=unit[start : start + READINGS_PER_FRAME])


def aggregates(channel: grpc.Channel, arguments: argparse.Namespace) -> None:
    """Prints count, average, minimum and maximum of each series."""
    stub = query_service_pb2_grpc.QueryServiceStub(channel)
    request = query_service_pb2.GetAggregatesRequest(
        device_ids=arguments.devices,
        sensors=arguments.sensors,
        since=arguments.since,
        to=arguments.to,
    )
    rows = [["DEVICE", "SENSOR", "COUNT", "AVERAGE", "MINIMUM", "MAXIMUM", "UNIT"]]
    while True:
        # A page is small enough for grpcio's limit of 4 MiB.
        answer = stub.GetAggregates(request, timeout=60)
        for row in answer.rows:
            values = [f"{value:.2f}" for value in (row.average, row.minimum, row.maximum)]
            rows.append([row.device_id, row.sensor, str(row.count), *values, row.unit])
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    print_table(rows)
    print(f"complete through {format_time(answer.coverage.complete_through)}")


def watch(channel: grpc.Channel, arguments: argparse.Namespace) -> None:
    """Prints each window as it changes, until Ctrl-C or so many messages."""
    stub = query_service_pb2_grpc.QueryServiceStub(channel)
    bucket = Duration()
    bucket.FromTimedelta(timedelta(seconds=arguments.bucket))
    request = query_service_pb2.WatchAggregatesRequest(
        device_ids=arguments.devices, sensors=arguments.sensors, bucket=bucket
    )
    while True:
        try:
            watch_once(stub, request, arguments.messages)
            return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            # The mesh is unavailable, or restarts the server of this stream. The next stream begins with all windows.
            print(f"client: {explain(error)}; trying again in {WATCH_PAUSE} s", file=sys.stderr)
        time.sleep(WATCH_PAUSE)


def watch_once(
    stub: query_service_pb2_grpc.QueryServiceStub, request: query_service_pb2.WatchAggregatesRequest, messages: int
) -> None:
    """Prints what one stream brings, until it ends or has brought so many messages (0 for any number)."""
    call = stub.WatchAggregates(request)
    for seen, message in enumerate(call, start=1):
        if message.snapshot:
            print(f"watching (windows so far: {len(message.buckets)})", flush=True)
        for each in message.buckets:
            row = each.row
            print(
                f"{format_time(each.start)} {row.device_id} {row.sensor}: count {row.count}, "
                f"average {row.average:.2f} {row.unit} ({row.minimum:.2f} to {row.maximum:.2f})",
                flush=True,
            )
        if seen == messages:
            call.cancel()
            return


def print_table(rows: list[list[str]]) -> None:
    """Prints rows with their columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def format_time(at: Timestamp) -> str:
    """As ISO 8601, in UTC, to the second."""
    return f"{at.ToDatetime():%Y-%m-%dT%H:%M:%SZ}"


def explain(error: grpc.RpcError) -> str:
    """The code and the message of the mesh."""
    return f"{error.code().name}: {error.details()}"


def names(text: str) -> list[str]:
    """The value of a flag that takes several, with commas."""
    return text.split(",")


def new_parser() -> argparse.ArgumentParser:
    """The commands and their flags."""
    parser = argparse.ArgumentParser(prog="client.py", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    publishing = commands.add_parser("publish", help="sends the readings of a CSV file")
    publishing.add_argument("file", metavar="FILE", help='"-" for standard input')
    publishing.set_defaults(run=publish)

    asking = commands.add_parser("aggregates", help="prints count, average, minimum and maximum of each series")
    asking.add_argument("--since", type=datetime.fromisoformat, metavar="TIME", help="readings from it on (2026-01-31T12:00:00Z)")
    asking.add_argument("--to", type=datetime.fromisoformat, metavar="TIME", help="readings before it")
    asking.set_defaults(run=aggregates)

    watching = commands.add_parser("watch", help="prints each window as it changes, until Ctrl-C")
    watching.add_argument("--bucket", type=int, default=10, metavar="SECONDS", help="size of the windows (%(default)s)")
    watching.add_argument("--messages", type=int, default=0, metavar="NUMBER", help="end after so many; never by default")
    watching.set_defaults(run=watch)

    for command in (asking, watching):
        command.add_argument("--devices", type=names, default=[], metavar="ID,…", help="all by default")
        command.add_argument("--sensors", type=names, default=[], metavar="NAME,…", help="all by default")
    for command in (publishing, asking, watching):
        connection.add_arguments(command)
    return parser


def main() -> int:
    """Gives the exit code: 0 if it went well, 1 if not, 2 if a flag is wrong."""
    arguments = new_parser().parse_args()
    try:
        with connection.from_arguments(arguments).open() as channel:
            arguments.run(channel, arguments)
    except KeyboardInterrupt:
        return 0
    except grpc.RpcError as error:
        print(f"client: {explain(error)}", file=sys.stderr)
        return 1
    except connection.ConnectionProblem as error:
        print(f"client: {error}", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"client: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
