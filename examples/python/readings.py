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
    match sensor:
        case "temperature":
            reading.thermostat.temperature = value
        case "pressure":
            reading.barometer.pressure = value
        case "humidity":
            reading.hygrometer.humidity = value
        case "heart_rate":
            reading.heart_rate_meter.heart_rate = value
        case _:
            raise ValueError(f"unknown sensor {sensor!r}: temperature, pressure, humidity or heart_rate")
    return reading
