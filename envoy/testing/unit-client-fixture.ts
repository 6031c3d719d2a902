import { protoTimestamp } from "@devicemesh/proto";
import {
  IngestServiceClient,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { type ChannelCredentials, credentials, type ServiceError } from "@grpc/grpc-js";

/** The outcome of a unit. */
export type UnitOutcome =
  | { readonly kind: "acked"; readonly accepted: number }
  | { readonly kind: "failed"; readonly code: number; readonly details: string };

/** An open unit. */
export type OpenUnit = {
  /** Sends a frame. */
  write(readings: readonly Reading[]): void;
  /** Ends the unit and waits for its response. */
  end(): Promise<UnitOutcome>;
};

const startMs = Date.UTC(2026, 0, 1);

/** Returns valid readings of one device, a second apart, from the `first`-th on. */
export function readingsOf(deviceId: string, first: number, count: number): Reading[] {
  return Array.from({ length: count }, (_, i) => ({
    deviceId,
    timestamp: protoTimestamp(startMs + (first + i) * 1000),
    measurement: { $case: "thermostat" as const, value: { temperature: 20 } },
  }));
}

/** For tests: a client of ingest that keeps its units open as long as a test needs. It never retries. */
export function createUnitClient(
  address: string,
  channelCredentials: ChannelCredentials = credentials.createInsecure(),
) {
  const client = new IngestServiceClient(address, channelCredentials, {
    "grpc.per_rpc_retry_buffer_size": 0,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
  function open(): OpenUnit {
    const { promise, resolve } = Promise.withResolvers<UnitOutcome>();
    const call = client.publishReadings((error: ServiceError | null, response: PublishReadingsResponse) =>
      resolve(
        error
          ? { kind: "failed", code: error.code, details: error.details }
          : { kind: "acked", accepted: Number(response.accepted) },
      ),
    );
    call.on("error", () => {});
    return {
      write: (readings) => void call.write({ readings: [...readings] }),
      end() {
        call.end();
        return promise;
      },
    };
  }
  return {
    open,
    /** Sends a unit of these frames. */
    send(frames: readonly (readonly Reading[])[]): Promise<UnitOutcome> {
      const unit = open();
      for (const frame of frames) unit.write(frame);
      return unit.end();
    },
    [Symbol.dispose]: () => client.close(),
  };
}
