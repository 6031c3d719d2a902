"""The original ingest at its best: one JSON POST a reading, checked by pydantic, flattened, produced to Kafka
(librdkafka's mock broker, in this process, unless --brokers is given), answered with 200 when the delivery was
acknowledged."""

import argparse
import asyncio
import json
import socket
from datetime import datetime, timedelta, timezone
from typing import Optional

import uvicorn
from confluent_kafka import Producer
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field, root_validator, validator

SENSORS = {"thermostat": "temperature", "barometer": "pressure", "hygrometer": "humidity", "heart_rate_meter": "heart_rate"}
EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)
BATCH_MS = 5  # The linger, and the interval of polls for deliveries: the cheapest of those measured, see the README.


class Thermostat(BaseModel):
    temperature: float = Field(ge=-100, le=150)


class Barometer(BaseModel):
    pressure: float = Field(ge=300, le=1200)


class Hygrometer(BaseModel):
    humidity: float = Field(ge=0, le=100)


class HeartRateMeter(BaseModel):
    heart_rate: float = Field(ge=0, le=300)


class Reading(BaseModel):
    device_id: str = Field(regex=r"^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,127}$")
    timestamp: datetime
    thermostat: Optional[Thermostat]
    barometer: Optional[Barometer]
    hygrometer: Optional[Hygrometer]
    heart_rate_meter: Optional[HeartRateMeter]

    @validator("timestamp")
    def in_bounds(cls, value):
        if not EARLIEST <= value <= datetime.now(timezone.utc) + timedelta(days=1):
            raise ValueError("must be from 2000-01-01 to one day ahead of the server")
        return value

    @root_validator(skip_on_failure=True)
    def one_measurement(cls, values):
        if sum(values[kind] is not None for kind in SENSORS) != 1:
            raise ValueError("exactly one measurement is required")
        return values


parser = argparse.ArgumentParser()
parser.add_argument("--brokers", help="host:port of real brokers, with commas; the mock broker if left out")
parser.add_argument("--topic", default="processed_messages")
options = parser.parse_args()

app = FastAPI(openapi_url=None)
brokers = {"bootstrap.servers": options.brokers} if options.brokers else {"bootstrap.servers": "mock", "test.mock.num.brokers": 1}
producer = Producer({**brokers, "acks": "all", "linger.ms": BATCH_MS, "log_level": 0})
undelivered = 0


@app.post("/readings")
async def publish(reading: Reading) -> Response:
    kind, sensor = next((kind, sensor) for kind, sensor in SENSORS.items() if getattr(reading, kind) is not None)
    timestamp = reading.timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    value = getattr(getattr(reading, kind), sensor)
    message = {"device_id": reading.device_id, "timestamp": timestamp, "sensor": sensor, "value": value}
    error = await delivered(json.dumps(message), f"{reading.device_id}|{sensor}|{timestamp}")
    return Response(status_code=503 if error else 200)


def delivered(message: str, key: str) -> asyncio.Future:
    """Produces; resolves with None, or the error, when the broker has answered."""
    global undelivered
    result = asyncio.get_running_loop().create_future()

    def settle(error, _):
        global undelivered
        undelivered -= 1
        result.set_result(error)

    producer.produce(options.topic, message, key, on_delivery=settle)
    undelivered += 1
    if undelivered == 1:
        poll_later(result.get_loop())
    return result


def poll_later(loop: asyncio.AbstractEventLoop) -> None:
    """Takes the deliveries of many requests at once, on the loop: no thread to wake for each."""
    loop.call_later(BATCH_MS / 1000, poll, loop)


def poll(loop: asyncio.AbstractEventLoop) -> None:
    producer.poll(0)
    if undelivered > 0:
        poll_later(loop)


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", log_level="critical", access_log=False, server_header=False, date_header=False)
    uvicorn.Server(config).run(sockets=[listening])
