import { builtInSensors, isTyped, type SensorSpec } from "@devicemesh/proto";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameEncoder, noSensor } from "./frame-encoder.ts";

type Row = { deviceId: string; sensorCode: number; timestampMs: number; value: number };

const rows: fc.Arbitrary<Row> = fc.record({
  deviceId: fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 300 })),
  sensorCode: fc.oneof(fc.nat(builtInSensors.length), fc.nat(3), fc.constant(noSensor)),
  timestampMs: fc.oneof(
    fc.integer({ min: 946_684_800_000, max: 2_000_000_000_000 }),
    fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    fc.constant(Number.NaN),
  ),
  value: fc.double(),
});

function readingOf({ deviceId, sensorCode, timestampMs, value }: Row): Reading {
  const seconds = Math.floor(timestampMs / 1000);
  return {
    deviceId,
    timestamp: Number.isNaN(timestampMs)
      ? undefined
      : { seconds: BigInt(seconds), nanos: (timestampMs - seconds * 1000) * 1e6 },
    measurement: measurementOf(builtInSensors[sensorCode], value),
  };
}

function measurementOf(spec: SensorSpec | undefined, value: number): Reading["measurement"] {
  if (spec === undefined) return undefined;
  if (!isTyped(spec)) return { $case: "sensorValue", value: { sensor: spec.sensor, value } };
  const measurement = { $case: camelCase(spec.deviceType), value: { [camelCase(spec.sensor)]: value } };
  return measurement as unknown as Reading["measurement"];
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

describe("frame encoder", () => {
  it("encodes any reading so that ts-proto decodes it", () => {
    const encoder = createFrameEncoder();
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 20 }), (frame) => {
        for (const { deviceId, sensorCode, timestampMs, value } of frame)
          encoder.add(deviceId, sensorCode, timestampMs, value);
        expect(encoder.readings()).toBe(frame.length);
        const { bytes, readings } = encoder.take();
        expect(readings).toBe(frame.length);
        expect(PublishReadingsRequest.decode(bytes).readings).toEqual(frame.map(readingOf));
      }),
      { numRuns: 500 },
    );
  });

  it("encodes sensors that are added later, up to the longest name", () => {
    const sensors = [...builtInSensors];
    const encoder = createFrameEncoder({ sensors });
    const added = { ...(sensors.at(-1) as SensorSpec), sensor: "x".repeat(64) };
    encoder.add("a", sensors.push(added) - 1, 1000, 1);
    const [reading] = PublishReadingsRequest.decode(encoder.take().bytes).readings;
    expect(reading?.measurement).toEqual({ $case: "sensorValue", value: { sensor: added.sensor, value: 1 } });
  });

  it("does not change a frame's bytes while it encodes the next one", () => {
    const encoder = createFrameEncoder();
    encoder.add("a", 0, 1000, 1);
    const first = encoder.take();
    const before = Buffer.from(first.bytes);
    encoder.add("b", 1, 2000, 2);
    expect(first.bytes).toEqual(before);
  });
});
