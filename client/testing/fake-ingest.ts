import { toGrpcServiceError } from "@devicemesh/kit/rpc/grpc-js-status";
import { type RpcCode, RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { identityOf, isoMilliseconds, millisecondsFloor, sensors } from "@devicemesh/proto";
import {
  IngestServiceService,
  type PublishReadingsRequest,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import * as grpc from "@grpc/grpc-js";

/** The fate of a unit in the fake. */
export type UnitFate =
  | { readonly kind: "ack" }
  /** Responds with an error: after the first frame or at the end, with the unit stored or not. */
  | {
      readonly kind: "fail";
      readonly when: "first-frame" | "end";
      readonly stored: boolean;
      readonly code: RpcCode;
      readonly retryDelayMs?: number;
    }
  /** Stores the unit and does not respond before `release` resolves. */
  | { readonly kind: "hold"; readonly release: Promise<void> }
  /** Responds OK after the first frame, which no ingest should do. */
  | { readonly kind: "answer-early" };

/** An ingest for tests, with controllable failures. */
export type FakeIngest = AsyncDisposable & {
  readonly port: number;
  readonly target: string;
  /** The identity of each stored reading, including duplicates; of an incomplete reading its known parts. */
  readonly stored: readonly string[];
  /** The temperature of each of them; NaN for a reading without one. */
  readonly temperatures: readonly number[];
  /** Number of readings of each unit that has ended. */
  readonly units: readonly number[];
  /** The maximum number of readings in a frame. */
  frameReadingsMax(): number;
  /** Cuts every connection and stops listening. */
  kill(): void;
};

/**
 * Starts a fake on 127.0.0.1. `fate` is called when a unit begins, counted from 0; `refuses` decides which readings to
 * reject, none by default.
 */
export async function startFakeIngest({
  port = 0,
  fate = () => ({ kind: "ack" }),
  refuses = () => false,
  counts = true,
}: {
  port?: number;
  fate?: (unit: number) => UnitFate;
  refuses?: (reading: Reading) => boolean;
  /** Whether it knows at once which readings it had before, as the single process does and the real engines do not. */
  counts?: boolean;
} = {}): Promise<FakeIngest> {
  const stored: string[] = [];
  const temperatures: number[] = [];
  const units: number[] = [];
  const first = new Map<string, string>();
  let begun = 0;
  let frameReadingsMax = 0;

  function finish(readings: readonly Reading[]): PublishReadingsResponse {
    const refused = readings.filter(refuses);
    const found = { duplicates: 0n, conflicts: 0n };
    for (const reading of readings) {
      if (refuses(reading)) continue;
      const identity = identityOfReading(reading);
      const value = JSON.stringify(reading.measurement);
      const key = `${identity}|${sensorOf(reading)}`;
      if (!first.has(key)) first.set(key, value);
      else found[first.get(key) === value ? "duplicates" : "conflicts"] += 1n;
      stored.push(identity);
      temperatures.push(temperatureOf(reading));
    }
    units.push(readings.length);
    return {
      accepted: BigInt(readings.length - refused.length),
      refused: BigInt(refused.length),
      ...(counts && found),
      refusedReadings: refused.slice(0, 100).map((reading) => ({
        ordinal: BigInt(readings.indexOf(reading)),
        identity: identityOfReading(reading),
        fieldPath: "device_id",
        ruleId: "fake",
        text: "is not liked",
      })),
    };
  }

  function publishReadings(
    call: grpc.ServerReadableStream<PublishReadingsRequest, PublishReadingsResponse>,
    answer: grpc.sendUnaryData<PublishReadingsResponse>,
  ): void {
    const unit = fate(begun++);
    const readings: Reading[] = [];
    let answered = false;
    const fail = ({ code, retryDelayMs }: Extract<UnitFate, { kind: "fail" }>) => {
      const details = retryDelayMs === undefined ? [] : [{ kind: "retryInfo" as const, retryDelayMs }];
      answer(toGrpcServiceError(new RpcError({ code, message: "set to fail", details })));
    };
    call.on("data", (frame: PublishReadingsRequest) => {
      frameReadingsMax = Math.max(frameReadingsMax, frame.readings.length);
      readings.push(...frame.readings);
      if (answered || unit.kind === "ack" || unit.kind === "hold") return;
      if (unit.kind === "answer-early") answer(null, finish(readings));
      else if (unit.when === "first-frame") fail(unit);
      else return;
      answered = true;
    });
    call.on("end", async () => {
      if (answered || call.cancelled) return;
      if (unit.kind === "fail") {
        if (unit.stored) finish(readings);
        fail(unit);
        return;
      }
      const response = finish(readings);
      if (unit.kind === "hold") await unit.release;
      answer(null, response);
    });
    call.on("error", () => {});
  }

  const server = new grpc.Server();
  server.addService(IngestServiceService, {
    publishReadings,
    publishReadingBatch: (_call: unknown, answer: grpc.sendUnaryData<never>) =>
      answer({ code: grpc.status.UNIMPLEMENTED }),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port: bound,
    target: `127.0.0.1:${bound}`,
    stored,
    temperatures,
    units,
    frameReadingsMax: () => frameReadingsMax,
    kill: () => server.forceShutdown(),
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

/** Returns the identity of a received reading, with empty parts if it is incomplete. */
export function identityOfReading({ deviceId, timestamp, measurement }: Reading): string {
  const timestampMs = timestamp && millisecondsFloor(timestamp);
  const type = measurement?.$case.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const spec = sensors.find(({ deviceType }) => deviceType === type);
  if (timestampMs !== undefined && spec) return identityOf({ deviceId, timestampMs, sensor: spec.sensor });
  return `${deviceId}|${spec?.sensor ?? ""}|${timestampMs === undefined ? "" : isoMilliseconds(timestampMs)}`;
}

function sensorOf({ measurement }: Reading): string {
  return measurement?.$case === "sensorValue" ? measurement.value.sensor : "";
}

/** The temperature that a thermostat measured; NaN for any other device. */
export function temperatureOf({ measurement }: Reading): number {
  return measurement?.$case === "thermostat" ? (measurement.value.temperature ?? Number.NaN) : Number.NaN;
}
