import type { DeviceMessage } from "@devicemesh/proto";
import { protoTimestamp } from "@devicemesh/proto";
import {
  IngestServiceClient,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";

/** A plain client of ingest, as a user would write one with generated code. */
export type Publisher = Disposable & {
  /** Sends one commit unit in frames and resolves with what ingest acknowledged. */
  publish(
    readings: readonly Reading[],
    options?: { readonly frameReadings?: number; readonly limitMs?: number },
  ): Promise<PublishReadingsResponse>;
};

/** Makes a client of the ingest at host:port. */
export function createPublisher(
  target: string,
  shown: ChannelCredentials = credentials.createInsecure(),
): Publisher {
  const client = new IngestServiceClient(target, shown, {
    "grpc.per_rpc_retry_buffer_size": 0,
  });
  return {
    publish(readings, { frameReadings = 100, limitMs } = {}) {
      return new Promise((resolve, reject) => {
        const deadline = limitMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + limitMs;
        const call = client.publishReadings(new Metadata(), { deadline }, (error, response) =>
          error ? reject(error) : resolve(response),
        );
        for (let start = 0; start < readings.length; start += frameReadings) {
          call.write({ readings: readings.slice(start, start + frameReadings) });
        }
        call.end();
      });
    },
    [Symbol.dispose]: () => client.close(),
  };
}

/** A message as the reading that a device of its kind would send. */
export function readingOf({ deviceId, timestampMs, sensor, value }: DeviceMessage): Reading {
  return { deviceId, timestamp: protoTimestamp(timestampMs), measurement: measurementOf(sensor, value) };
}

function measurementOf(sensor: DeviceMessage["sensor"], value: number): NonNullable<Reading["measurement"]> {
  switch (sensor) {
    case "temperature":
      return { $case: "thermostat", value: { temperature: value } };
    case "pressure":
      return { $case: "barometer", value: { pressure: value } };
    case "humidity":
      return { $case: "hygrometer", value: { humidity: value } };
    case "heart_rate":
      return { $case: "heartRateMeter", value: { heartRate: value } };
  }
}
