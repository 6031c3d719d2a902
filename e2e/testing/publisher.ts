import type { DeviceMessage } from "@devicemesh/proto";
import { isTyped, protoTimestamp, sensorByName } from "@devicemesh/proto";
import {
  IngestServiceClient,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";

/** A plain client of ingest, like a user's with generated code. */
export type Publisher = Disposable & {
  /** Sends one commit unit in frames and resolves with ingest's response. */
  publish(
    readings: readonly Reading[],
    options?: { readonly frameReadings?: number; readonly limitMs?: number },
  ): Promise<PublishReadingsResponse>;
};

/** Creates a client of the ingest at host:port. */
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

/** Returns the reading of a message, as its type of device sends it. */
export function readingOf({ deviceId, timestampMs, sensor, value }: DeviceMessage): Reading {
  return { deviceId, timestamp: protoTimestamp(timestampMs), measurement: measurementOf(sensor, value) };
}

function measurementOf(sensor: string, value: number): NonNullable<Reading["measurement"]> {
  const spec = sensorByName(sensor);
  if (!spec || !isTyped(spec)) return { $case: "sensorValue", value: { sensor, value } };
  const measurement = { $case: camelCase(spec.deviceType), value: { [camelCase(sensor)]: value } };
  return measurement as unknown as NonNullable<Reading["measurement"]>;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
