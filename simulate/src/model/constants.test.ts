import { readFileSync } from "node:fs";
import { createRecordBatchWriter } from "@devicemesh/ingest/log/kafka/kafka-record-batch";
import { createLogDevices } from "@devicemesh/ingest/log/kafka/log-devices";
import type { MessageBatch } from "@devicemesh/ingest/log/message-log";
import { protoTimestamp, sensors } from "@devicemesh/proto";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { describe, expect, it } from "vitest";
import { constants } from "./constants.ts";

/** The median of numbers. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function results(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../bench/results/${name}.json`, import.meta.url), "utf8"));
}

type Kafka = { readonly peers: readonly { readonly name: string; readonly samples: readonly Sample[] }[] };
type Sample = { readonly cpuMicrosPerReading: number };
type Mesh = { readonly summary: { readonly sinkDocumentsPerSecond: number } };
type Windows = { readonly warm: { readonly rows: number; readonly sparkCpuMs: number } };

describe("a measured constant is within a factor of two of the bench's result", () => {
  const kafka = results("kafka") as Kafka;
  const mesh = results("mesh") as Mesh;
  const { warm } = results("windows") as Windows;
  const ours = kafka.peers.at(-1)?.samples ?? [];
  it.each([
    ["ingestCpuMicros", median(ours.map(({ cpuMicrosPerReading }) => cpuMicrosPerReading))],
    ["sparkCpuMicros", (warm.sparkCpuMs * 1000) / warm.rows],
    ["sinkDocuments", mesh.summary.sinkDocumentsPerSecond / 2],
  ] as const)("%s", (name, measured) => {
    expect(constants[name].value / measured).toBeGreaterThan(0.5);
    expect(constants[name].value / measured).toBeLessThan(2);
  });
});

describe("a counted constant is the size that the encoders write, with device ids of 15 characters", () => {
  const deviceIds = Array.from(
    { length: 100 },
    (_, place) => `site-01:dev-${String(place).padStart(3, "0")}`,
  );
  const temperature = sensors.findIndex(({ sensor }) => sensor === "temperature");
  const batch: MessageBatch = {
    length: 100,
    deviceIds,
    sensors,
    sensorCodes: new Uint16Array(100).fill(temperature),
    timestampsMs: new Float64Array(100).fill(Date.UTC(2026, 0, 1, 12, 34, 56, 789)),
    values: Float64Array.from({ length: 100 }, (_, place) => 20 + place / 10),
  };

  function isNear(name: keyof typeof constants, counted: number): void {
    expect(constants[name].value / counted).toBeGreaterThan(0.9);
    expect(constants[name].value / counted).toBeLessThan(1.1);
  }

  it("for a message in the log", () => {
    const writer = createRecordBatchWriter({ recordsMax: 100, bytesMax: 1e6 });
    const devices = createLogDevices({ partitions: 1 });
    for (const [row, deviceId] of deviceIds.entries()) writer.add(batch, row, devices.of(deviceId));
    isNear("logBytes", writer.finish(Date.UTC(2026, 0, 1)).length / 100);
  });

  it("for a reading in a frame", () => {
    const readings = deviceIds.map((deviceId, row) => ({
      deviceId,
      timestamp: protoTimestamp(batch.timestampsMs[row] as number),
      measurement: measurementOf(temperature, batch.values[row] as number),
    }));
    isNear("requestBytes", PublishReadingsRequest.encode({ readings }).finish().length / 100);
  });
});

/** The oneof member of a reading of the temperature sensor. */
function measurementOf(sensorCode: number, temperature: number): NonNullable<Reading["measurement"]> {
  const spec = sensors[sensorCode] as (typeof sensors)[number];
  return { $case: spec.deviceType, value: { temperature } } as NonNullable<Reading["measurement"]>;
}
