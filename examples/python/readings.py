"""Readings as the mesh takes them, from lines of CSV."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from devicemesh.v1 import reading_pb2


def read_readings(lines: Iterable[str]) -> Iterator[reading_pb2.Reading]:
    """The readings of lines with the header device_id,timestamp,sensor,value, one at a time.

    Raises ValueError, with the number of the line, for a line that is none.
    """
    rows = csv.DictReader(lines)
    for row in rows:
        try:
            yield new_reading(row["device_id"], row["timestamp"], row["sensor"], float(row["value"]))
        except KeyError as error:
            raise ValueError(f"line {rows.line_num}: there is no column {error}") from error
        except (TypeError, ValueError) as error:
            raise ValueError(f"line {rows.line_num}: {error}") from error


def new_reading(device: str, at: str, sensor: str, value: float) -> reading_pb2.Reading:
    """A device, a time by its clock, and one measurement. The mesh checks the values."""
    timestamp = Timestamp()
    timestamp.FromDatetime(datetime.fromisoformat(at))
    reading = reading_pb2.Reading(device_id=device, timestamp=timestamp)
    for typed in reading_pb2.Reading.DESCRIPTOR.oneofs_by_name["measurement"].fields:
        if typed.name != "sensor_value" and sensor in typed.message_type.fields_by_name:
            setattr(getattr(reading, typed.name), sensor, value)
            return reading
    # A sensor of the catalog without a type of its own.
    reading.sensor_value.sensor = sensor
    reading.sensor_value.value = value
    return reading
