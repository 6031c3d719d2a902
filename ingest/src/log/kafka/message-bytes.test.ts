import { frameReadingsMax, identityOf, isoMilliseconds, sensors } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchOf } from "../../../testing/message-log.contract.ts";
import { readBatch } from "../../../testing/record-batches.ts";
import {
  type Compression,
  compressions,
  createRecordBatchWriter,
  setBatchProducer,
} from "./kafka-record-batch.ts";
import { createLogDevices } from "./log-devices.ts";
import { recordBytesMax } from "./message-bytes.ts";

const startMs = Date.UTC(2026, 10, 23, 20, 4, 22);
const message = { deviceId: "a:b-c.d", timestampMs: startMs, sensor: sensors[0]!.sensor, value: 20.5 };

/** Remembers so few that most devices of a run are new, and some are known. */
const devices = createLogDevices({ partitions: 3, rememberMax: 4 });

const open = (limits: { recordsMax?: number; bytesMax?: number; compression?: Compression } = {}) =>
  createRecordBatchWriter({ recordsMax: 10_000, bytesMax: 1_000_000, ...limits });

function textsOf(...all: readonly (typeof message)[]) {
  const writer = open();
  const batch = batchOf(all);
  for (const [row, { deviceId }] of all.entries()) writer.add(batch, row, devices.of(deviceId));
  const bytes = writer.finish(startMs);
  setBatchProducer(bytes, { id: 0n, epoch: 0, sequence: 0 });
  return readBatch(bytes).records.map(({ key, value }) => ({ key: String(key), value: String(value) }));
}

/** The same with JSON.stringify. */
function expectedOf(one: typeof message) {
  const { deviceId, timestampMs, sensor, value } = one;
  return {
    key: identityOf(one),
    value: JSON.stringify({ device_id: deviceId, timestamp: isoMilliseconds(timestampMs), sensor, value }),
  };
}

const values = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  // Typical values of sensors: decimals of few digits.
  fc
    .tuple(fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }), fc.integer({ min: 0, max: 5 }))
    .map(([digits, decimals]) => digits / 10 ** decimals),
  fc.double({ min: -2e6, max: 2e6, noNaN: true }).map((value) => Math.round(value * 1000) / 1000),
);

const messages = fc.array(
  fc.record({
    deviceId: fc.stringMatching(/^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,127}$/),
    timestampMs: fc.oneof(
      fc.integer({ min: startMs - 1500, max: startMs + 1500 }),
      fc.integer({ min: Date.UTC(1969, 0, 1), max: Date.UTC(2100, 0, 1) }),
    ),
    sensor: fc.constantFrom(...sensors.map(({ sensor }) => sensor)),
    value: values,
  }),
  { minLength: 1, maxLength: frameReadingsMax / 20 },
);

describe("the bytes of a message", () => {
  it("are keyed by the identity and contain the four fields in order", () => {
    expect(textsOf(message)).toEqual([
      {
        key: "a:b-c.d|temperature|2026-11-23T20:04:22.000Z",
        value:
          '{"device_id":"a:b-c.d","timestamp":"2026-11-23T20:04:22.000Z","sensor":"temperature","value":20.5}',
      },
    ]);
  });

  it.each([
    0,
    -0,
    20,
    -0.001,
    1013.25,
    999_999.999,
    -999_999.999,
    1_000_000,
    0.1 + 0.2,
    1 / 3,
    1e21,
    1e-7,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
    -Number.MAX_VALUE,
  ])("have the number %s as JSON.stringify writes it", (value) => {
    expect(textsOf({ ...message, value })).toEqual([expectedOf({ ...message, value })]);
  });
});

describe("a record batch", () => {
  it.each(compressions)(
    "has every row in order in the format of JSON.stringify, with compression %s",
    (compression) => {
      const writer = open({ compression });
      fc.assert(
        fc.property(messages, fc.integer({ min: 0, max: 2 ** 31 - 1 }), (all, sequence) => {
          const batch = batchOf(all);
          for (const [row, { deviceId }] of all.entries()) {
            expect(writer.add(batch, row, devices.of(deviceId))).toBe(true);
          }
          expect(writer.records).toBe(all.length);
          const bytes = writer.finish(startMs);
          expect(writer.records).toBe(0);
          setBatchProducer(bytes, { id: 7n, epoch: 3, sequence });
          const read = readBatch(bytes);
          expect(read).toMatchObject({ producerId: 7n, producerEpoch: 3, sequence });
          const texts = read.records.map(({ key, value }) => ({ key: String(key), value: String(value) }));
          expect(texts).toEqual(all.map(expectedOf));
        }),
      );
    },
  );

  it("accepts records and bytes up to its limits, but at least one record", () => {
    const batch = batchOf(Array.from({ length: 50 }, (_, i) => ({ ...message, value: i })));
    const count = (writer: ReturnType<typeof open>) => {
      let row = 0;
      while (row < 50 && writer.add(batch, row, devices.of(message.deviceId))) row++;
      const bytes = writer.finish(startMs);
      setBatchProducer(bytes, { id: 0n, epoch: 0, sequence: 0 });
      expect(readBatch(bytes).records).toHaveLength(row);
      return { row, bytes: bytes.length };
    };
    expect(count(open({ recordsMax: 7 })).row).toBe(7);
    const limited = count(open({ bytesMax: 3000 }));
    expect(limited.bytes).toBeLessThanOrEqual(3000);
    expect(limited.row).toBeGreaterThan(5);
    expect(count(open({ bytesMax: 1 })).row).toBe(1);
  });

  it("stays unchanged until its memory is released, whatever is written afterwards", () => {
    const batch = batchOf(Array.from({ length: 1000 }, (_, i) => ({ ...message, value: i })));
    const device = devices.of(message.deviceId);
    // From a few rows, which are copied, to all of them.
    const steps = fc.array(fc.record({ rows: fc.integer({ min: 1, max: 1000 }), recycled: fc.nat(5) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const writer = open({ bytesMax: 200_000 });
        const kept: { readonly bytes: Buffer; readonly copy: Buffer }[] = [];
        for (const { rows, recycled } of all) {
          for (let row = 0; row < rows; row++) expect(writer.add(batch, row, device)).toBe(true);
          const bytes = writer.finish(startMs);
          setBatchProducer(bytes, { id: 1n, epoch: 0, sequence: rows });
          expect(readBatch(bytes).records).toHaveLength(rows);
          kept.push({ bytes, copy: Buffer.from(bytes) });
          for (const { bytes: old } of kept.splice(0, recycled)) writer.recycle(old);
          for (const { bytes: old, copy } of kept) expect(old.equals(copy)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("reuses the memory of large batches", () => {
    const batch = batchOf(Array.from({ length: 1000 }, (_, i) => ({ ...message, value: i })));
    const writer = open();
    const next = (): Buffer => {
      for (let row = 0; row < 1000; row++) writer.add(batch, row, devices.of(message.deviceId));
      return writer.finish(startMs);
    };
    const memories = new Set<ArrayBufferLike>();
    for (let i = 0; i < 10; i++) {
      const bytes = next();
      memories.add(bytes.buffer);
      writer.recycle(bytes);
    }
    expect(memories.size).toBe(2);
  });

  it("is a third as large with zstd, for readings as devices send them", () => {
    const batch = batchOf(
      Array.from({ length: 500 }, (_, i) => ({ ...message, timestampMs: startMs + i, value: i })),
    );
    const sizeOf = (compression: Compression): number => {
      const writer = open({ compression });
      for (let row = 0; row < 500; row++) writer.add(batch, row, devices.of(message.deviceId));
      return writer.finish(startMs).length;
    };
    expect(sizeOf("zstd")).toBeLessThan(sizeOf("none") / 3);
  });

  it("has capacity for the longest record", () => {
    const longest = {
      deviceId: "d".repeat(128),
      timestampMs: startMs,
      sensor: "s".repeat(64),
      value: -Math.PI * 1e-300,
    };
    const writer = open({ bytesMax: 1 });
    const sensor = { ...sensors[0]!, sensor: longest.sensor };
    const batch = { ...batchOf([longest]), sensors: [sensor], sensorCodes: Uint16Array.of(0) };
    writer.add(batch, 0, devices.of(longest.deviceId));
    const bytes = writer.finish(startMs);
    expect(bytes.length).toBeLessThanOrEqual(61 + recordBytesMax);
    setBatchProducer(bytes, { id: 0n, epoch: 0, sequence: 0 });
    expect(String(readBatch(bytes).records[0]?.value)).toBe(expectedOf(longest).value);
  });
});
