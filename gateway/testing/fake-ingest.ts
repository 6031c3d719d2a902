import type { SendResult, UnitSender } from "@devicemesh/client";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { GatewayReading } from "../src/readings/gateway-reading.ts";

/** An ingest in memory: it keeps the first reading of each identity, and responds as `respond` decides. */
export type FakeIngest = UnitSender & {
  /** The stored readings, in order. */
  readonly stored: GatewayReading[];
  /** The readings of each call. */
  readonly calls: (readonly GatewayReading[])[];
  /** The largest number of calls at the same time. */
  mostAtOnce(): number;
  /** Answers the waiting calls; from now on no call waits. */
  release(): void;
};

/** How the fake answers a call; undefined stores everything that `isValid` accepts. */
export type Respond = (readings: readonly GatewayReading[], call: number) => SendResult | undefined;

/** Lists at most as many rejected readings as the contract. */
const listedMax = 100;

export function createFakeIngest({
  respond = () => undefined,
  isValid = () => true,
  isQueued = false,
  brokenField = "sensor_value.value",
}: {
  readonly respond?: Respond;
  readonly isValid?: (reading: GatewayReading) => boolean;
  /** Whether calls wait until `release`. */
  readonly isQueued?: boolean;
  /** The field of the rule that readings break. */
  readonly brokenField?: string;
} = {}): FakeIngest {
  const stored: GatewayReading[] = [];
  const calls: (readonly GatewayReading[])[] = [];
  const identities = new Set<string>();
  const held = Promise.withResolvers<void>();
  if (!isQueued) held.resolve();
  let open = 0;
  let mostAtOnce = 0;

  return {
    stored,
    calls,
    mostAtOnce: () => mostAtOnce,
    release: held.resolve,
    async send(unit, signal) {
      const readings = unit.frames.flatMap(({ bytes }) => decoded(bytes));
      const call = calls.push(readings) - 1;
      open += 1;
      mostAtOnce = Math.max(mostAtOnce, open);
      const aborted = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => aborted.resolve());
      await Promise.race([held.promise, aborted.promise]);
      open -= 1;
      if (signal.aborted)
        return { kind: "failed", code: "CANCELLED", message: "cut", retryDelayMs: undefined };
      const response = respond(readings, call);
      if (response) return response;
      const refused = [...readings.keys()].filter((ordinal) => !isValid(readings[ordinal]!));
      for (const reading of readings.filter(isValid)) {
        const identity = `${reading.deviceId}|${reading.sensor}|${reading.timestampMs}`;
        if (!identities.has(identity)) stored.push(reading);
        identities.add(identity);
      }
      return {
        kind: "acked",
        accepted: readings.length - refused.length,
        refused: refused.length,
        refusedReadings: refused.slice(0, listedMax).map((ordinal) => ({
          ordinal: BigInt(ordinal),
          identity: "",
          fieldPath: brokenField,
          ruleId: "double.gte_lte",
          text: "must be in range",
        })),
      };
    },
    close() {},
  };
}

/** The response of an ingest that is unavailable. */
export const unavailableNow: SendResult = {
  kind: "failed",
  code: "UNAVAILABLE",
  message: "the log is unavailable",
  retryDelayMs: 1,
};

function decoded(frame: Uint8Array): GatewayReading[] {
  return PublishReadingsRequest.decode(frame).readings.map(({ deviceId, timestamp, measurement }) => {
    if (measurement?.$case !== "sensorValue" || timestamp === undefined)
      throw new Error("a measurement is missing");
    const { sensor, value = Number.NaN } = measurement.value;
    const timestampMs = Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6;
    return { deviceId, sensor, value, timestampMs };
  });
}
