import { create, toBinary } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { builtInSensors, createSensorCatalog, type SensorSpec, sensors } from "@devicemesh/proto";
import { PublishReadingsRequestSchema } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { type Reading, ReadingSchema } from "@devicemesh/proto/es/devicemesh/v1/reading_pb.ts";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { anyReading, nowMs } from "../../testing/reading-arbitraries.ts";
import { createFrameDecoder, type FrameColumns } from "../wire/frame-decoder.ts";
import { createDeviceIds } from "../wire/wire.ts";
import { createReadingChecks } from "./reading-checks.ts";
import type { Refusal } from "./reading-violations.ts";

const nowSeconds = BigInt(Math.floor(nowMs / 1000));
const decode = createFrameDecoder({ deviceIds: createDeviceIds({ slots: 64 }) });
const check = createReadingChecks();
const validator = createValidator();

/** protovalidate's `now` is the clock's; only Date is faked. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
});
afterEach(() => {
  vi.useRealTimers();
});

/** protovalidate takes most of the time: about 20 s for 100,000 messages on an idle machine. */
const propertyTimeoutMs = 300_000;

describe("the checks of readings", () => {
  it("agree with protovalidate on 100,000 random and boundary messages", {
    timeout: propertyTimeoutMs,
  }, () => {
    const verdicts = new Map<string, number>();
    let readings = 0;
    fc.assert(
      fc.property(fc.array(anyReading, { minLength: 100, maxLength: 100 }), (frame) => {
        const checked = check(columnsOf(frame), { nowMs, refusalsMax: 100 });
        const refusals = new Map(checked.refusals.map((refusal) => [refusal.row, refusal]));
        expect(checked.batch.length + checked.refused).toBe(frame.length);
        for (const [row, reading] of frame.entries()) {
          const verdict = firstViolation(reading);
          expect(verdictOf(refusals.get(row))).toEqual(verdict);
          const name = verdict === undefined ? "accepted" : `${verdict.fieldPath} ${verdict.ruleId}`;
          verdicts.set(name, (verdicts.get(name) ?? 0) + 1);
        }
        readings += frame.length;
      }),
      { numRuns: 1000 },
    );
    expect(readings).toBe(100_000);
    // Every rule, and acceptance, must be reached often by the random messages.
    expect([...verdicts.keys()].sort()).toEqual(
      [
        "accepted",
        "device_id string.pattern",
        "measurement required",
        "timestamp required",
        "timestamp timestamp.gte",
        "timestamp timestamp.one_day_ahead",
        "timestamp.nanos timestamp.nanos",
        ...sensors.flatMap(({ deviceType, sensor }) => [
          `${deviceType}.${sensor} double.finite`,
          `${deviceType}.${sensor} double.gte_lte`,
          `${deviceType}.${sensor} required`,
        ]),
        "sensor_value.sensor sensor.unknown",
        "sensor_value.sensor string.pattern",
        "sensor_value.value double.finite",
        "sensor_value.value double.gte_lte",
        "sensor_value.value required",
      ].sort(),
    );
    for (const [name, times] of verdicts) expect(times, name).toBeGreaterThan(500);
  });

  it("flatten accepted readings in order, truncated to the millisecond", () => {
    const readings = [
      readingOf({ deviceId: "a", seconds: nowSeconds, nanos: 123_999_999, value: 20 }),
      readingOf({ deviceId: "", seconds: nowSeconds, nanos: 0, value: 20 }),
      readingOf({ deviceId: "b", seconds: nowSeconds - 1n, nanos: 999_999_999, value: -0 }),
    ];
    const { batch } = check(columnsOf(readings), { nowMs, refusalsMax: 100 });
    expect(batch.length).toBe(2);
    expect(batch.deviceIds.slice(0, 2)).toEqual(["a", "b"]);
    expect([...batch.timestampsMs.slice(0, 2)]).toEqual([nowMs, nowMs - 124]);
    expect([...batch.sensorCodes.slice(0, 2)]).toEqual([0, 0]);
    expect([...batch.values.slice(0, 2)]).toEqual([20, -0]);
  });

  it("treat a sensor by name like its device type, and name an unknown one", () => {
    const timestamp = { seconds: nowSeconds, nanos: 0 };
    const readings = [{ sensor: "heart_rate", value: 60 }, { sensor: "mood", value: 60 }, { value: 60 }].map(
      (value) =>
        create(ReadingSchema, { deviceId: "a", timestamp, measurement: { case: "sensorValue", value } }),
    );
    const { batch, refusals } = check(columnsOf(readings), { nowMs, refusalsMax: 100 });
    expect(batch.length).toBe(1);
    expect(sensors[batch.sensorCodes[0]!]?.sensor).toBe("heart_rate");
    expect(refusals.map(({ identity, ruleId }) => [identity, ruleId])).toEqual([
      ["a|mood|2026-11-23T20:04:22.000Z", "sensor.unknown"],
      ["a||2026-11-23T20:04:22.000Z", "string.pattern"],
    ]);
  });

  it("accept an explicit value of 0, and reject a measurement without its value", () => {
    const timestamp = { seconds: nowSeconds, nanos: 0 };
    const readings = [{ heartRate: 0 }, {}].map((value) =>
      create(ReadingSchema, { deviceId: "a", timestamp, measurement: { case: "heartRateMeter", value } }),
    );
    const checked = check(columnsOf(readings), { nowMs, refusalsMax: 100 });
    expect([checked.batch.length, checked.batch.values[0]]).toEqual([1, 0]);
    expect(checked.refusals).toEqual([
      {
        row: 1,
        identity: "a|heart_rate|2026-11-23T20:04:22.000Z",
        fieldPath: "heart_rate_meter.heart_rate",
        ruleId: "required",
        text: "value is required",
      },
    ]);
  });

  it("return columns of accepted readings that the next frame does not change", () => {
    const first = check(columnsOf([readingOf({ deviceId: "a", value: 1 })]), { nowMs, refusalsMax: 100 });
    check(columnsOf([readingOf({ deviceId: "b", value: 2 })]), { nowMs, refusalsMax: 100 });
    expect([first.batch.deviceIds[0], first.batch.values[0]]).toEqual(["a", 1]);
  });

  it("return the known part of the identity of a rejected reading", () => {
    const identities = (readings: Reading[]) =>
      check(columnsOf(readings), { nowMs, refusalsMax: 100 }).refusals.map(({ identity }) => identity);
    expect(
      identities([
        readingOf({ deviceId: "a", value: Number.NaN }),
        readingOf({ deviceId: "not good", nanos: -1 }),
        create(ReadingSchema, { deviceId: "a" }),
        readingOf({ deviceId: "a", seconds: 2n ** 62n }),
        readingOf({ deviceId: "x".repeat(100_000) }),
      ]),
    ).toEqual([
      "a|temperature|2026-11-23T20:04:22.000Z",
      "not good|temperature|",
      "a||",
      "a|temperature|",
      `${"x".repeat(128)}|temperature|2026-11-23T20:04:22.000Z`,
    ]);
  });

  it("describe at most the given number of rejections, and count all", () => {
    const checked = check(columnsOf(Array.from({ length: 10 }, () => create(ReadingSchema))), {
      nowMs,
      refusalsMax: 3,
    });
    expect(checked.refused).toBe(10);
    expect(checked.refusals.map(({ row }) => row)).toEqual([0, 1, 2]);
  });

  it("reject readings that the store no longer retains, to the millisecond", () => {
    const retainedSinceMs = nowMs - 1000;
    const readings = [nowMs - 1001, nowMs - 1000].map((ms) =>
      readingOf({ deviceId: "a", seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 }),
    );
    const checked = check(columnsOf(readings), { nowMs, retainedSinceMs, refusalsMax: 100 });
    expect(checked.batch.length).toBe(1);
    expect(checked.refusals).toEqual([
      {
        row: 0,
        identity: "a|temperature|2026-11-23T20:04:21.122Z",
        fieldPath: "timestamp",
        ruleId: "timestamp.retained",
        text: "must not be before 2026-11-23T20:04:21.123Z, since when the store retains readings",
      },
    ]);
  });

  it("accept a device type that is added to the table of sensors", () => {
    const added = {
      ...sensors[0]!,
      deviceType: "luxmeter",
      sensor: "light",
      aliases: [],
      minimum: 1,
      maximum: 2,
    } satisfies SensorSpec;
    const columns = columnsOf([
      readingOf({ deviceId: "a", value: 3 }),
      readingOf({ deviceId: "a", value: 2 }),
    ]);
    columns.sensorCodes.fill(sensors.length, 0, 2);
    const checked = createReadingChecks({ catalog: createSensorCatalog([...sensors, added]) })(columns, {
      nowMs,
      refusalsMax: 100,
    });
    expect(checked.batch.length).toBe(1);
    expect(checked.refusals[0]?.fieldPath).toBe("luxmeter.light");
  });
});

type Verdict = { fieldPath: string; ruleId: string; text: string };

function verdictOf(refusal: Refusal | undefined): Verdict | undefined {
  return refusal && { fieldPath: refusal.fieldPath, ruleId: refusal.ruleId, text: refusal.text };
}

/** protovalidate's first violation, with the rule on nanos after its rules on the timestamp. */
function firstViolation(reading: Reading): Verdict | undefined {
  const result = validator.validate(ReadingSchema, reading);
  if (result.kind === "error") throw result.error;
  const [first] = result.kind === "invalid" ? result.violations : [];
  const verdict = first
    ? { fieldPath: pathOf(first.field), ruleId: first.ruleId, text: first.message }
    : catalogViolation(reading);
  const isEarlier = verdict?.fieldPath === "device_id" || verdict?.fieldPath === "timestamp";
  const nanos = reading.timestamp?.nanos ?? 0;
  if (isEarlier || (nanos >= 0 && nanos <= 999_999_999)) return verdict;
  return { fieldPath: "timestamp.nanos", ruleId: "timestamp.nanos", text: "must be from 0 to 999999999" };
}

/** The rules that protovalidate does not have: known sensors, and the range of a named one. */
function catalogViolation({ measurement }: Reading): Verdict | undefined {
  if (measurement.case === undefined) return undefined;
  const isNamed = measurement.case === "sensorValue";
  const type = sensors.find(({ deviceType }) => camelCase(deviceType) === measurement.case);
  const { sensor = type?.sensor ?? "", value = Object.values(measurement.value).at(-1) } = {
    ...(isNamed && { sensor: measurement.value.sensor, value: measurement.value.value ?? Number.NaN }),
  } as { sensor?: string; value?: number };
  const spec = builtInSensors.find((each) => [each.sensor, ...each.aliases].includes(sensor));
  if (!spec) {
    return {
      fieldPath: "sensor_value.sensor",
      ruleId: "sensor.unknown",
      text: `the sensor catalog has no sensor ${JSON.stringify(sensor)}: add it to a file and start the server with --sensors FILE, or with --unknown-sensors accept`,
    };
  }
  if (Number(value) >= spec.minimum && Number(value) <= spec.maximum) return undefined;
  return {
    fieldPath: isNamed ? "sensor_value.value" : `${type?.deviceType}.${sensor}`,
    ruleId: "double.gte_lte",
    text: `must be greater than or equal to ${spec.minimum} and less than or equal to ${spec.maximum}`,
  };
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function pathOf(path: readonly { readonly kind: string }[]): string {
  return path.map((part) => ("name" in part ? part.name : "")).join(".");
}

function columnsOf(readings: readonly Reading[]): FrameColumns {
  const bytes = toBinary(
    PublishReadingsRequestSchema,
    create(PublishReadingsRequestSchema, { readings: [...readings] }),
  );
  const decoded = decode(Buffer.from(bytes));
  if (decoded.kind !== "columns") throw new Error(decoded.kind);
  return decoded.columns;
}

function readingOf(parts: { deviceId: string; seconds?: bigint; nanos?: number; value?: number }): Reading {
  return create(ReadingSchema, {
    deviceId: parts.deviceId,
    timestamp: { seconds: parts.seconds ?? nowSeconds, nanos: parts.nanos ?? 0 },
    measurement: { case: "thermostat", value: { temperature: parts.value ?? 20 } },
  });
}
