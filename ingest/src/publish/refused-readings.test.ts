import { clockAheadMaxMs, earliestTimestampMs } from "@devicemesh/proto";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { describe, expect, it } from "vitest";
import { doubleField, lengthDelimited, tagBytes, varintField } from "../../testing/frame-bytes.ts";
import {
  frameOf,
  ingestServers,
  startTestIngest,
  testNowMs,
  thermostatReading,
} from "../../testing/ingest-fixture.ts";

const good = thermostatReading("good");
const seconds = BigInt(testNowMs / 1000);

function at(timestamp: Reading["timestamp"]): Reading {
  return { ...good, timestamp };
}
function measuring(measurement: Reading["measurement"]): Reading {
  return { ...good, measurement };
}
function temperature(value: number): Reading {
  return measuring({ $case: "thermostat", value: { temperature: value } });
}
function from(deviceId: string): Reading {
  return { ...good, deviceId };
}

describe.each(ingestServers)("a reading that breaks a rule on %s", (server) => {
  it.each<[string, Reading, string, string]>([
    ["no device id", from(""), "device_id", "string.pattern"],
    ["a device id of 129 characters", from("d".repeat(129)), "device_id", "string.pattern"],
    ["a device id that starts with a dot", from(".a"), "device_id", "string.pattern"],
    ["a device id with a space", from("a b"), "device_id", "string.pattern"],
    ["a device id with a separator of identities", from("a|b"), "device_id", "string.pattern"],
    ["a device id that is not ASCII", from("gerät"), "device_id", "string.pattern"],
    ["no timestamp", at(undefined), "timestamp", "required"],
    [
      "a time before 2000",
      at({ seconds: BigInt(earliestTimestampMs / 1000) - 1n, nanos: 999_999_999 }),
      "timestamp",
      "timestamp.gte",
    ],
    ["a time before 1970", at({ seconds: -1n, nanos: 0 }), "timestamp", "timestamp.gte"],
    [
      "a time a nanosecond too far ahead",
      at({ seconds: seconds + BigInt(clockAheadMaxMs / 1000), nanos: 1 }),
      "timestamp",
      "timestamp.one_day_ahead",
    ],
    [
      "a time after the year 9999",
      at({ seconds: 2n ** 62n, nanos: 0 }),
      "timestamp",
      "timestamp.one_day_ahead",
    ],
    ["negative nanos", at({ seconds, nanos: -1 }), "timestamp.nanos", "timestamp.nanos"],
    ["nanos of a second", at({ seconds, nanos: 1_000_000_000 }), "timestamp.nanos", "timestamp.nanos"],
    ["no measurement", measuring(undefined), "measurement", "required"],
    ["NaN", temperature(Number.NaN), "thermostat.temperature", "double.finite"],
    ["infinity", temperature(Number.POSITIVE_INFINITY), "thermostat.temperature", "double.finite"],
    ["negative infinity", temperature(Number.NEGATIVE_INFINITY), "thermostat.temperature", "double.finite"],
    ["a value below its range", temperature(-100.001), "thermostat.temperature", "double.gte_lte"],
    ["a value above its range", temperature(150.001), "thermostat.temperature", "double.gte_lte"],
    [
      "a measurement left empty, where 0 is out of range",
      measuring({ $case: "barometer", value: { pressure: 0 } }),
      "barometer.pressure",
      "double.gte_lte",
    ],
    [
      "a heart rate that no heart has",
      measuring({ $case: "heartRateMeter", value: { heartRate: 301 } }),
      "heart_rate_meter.heart_rate",
      "double.gte_lte",
    ],
  ])("is rejected for %s, without affecting other readings", async (_, reading, fieldPath, ruleId) => {
    await using test = await startTestIngest({ server });
    const outcome = await test.client.publish(
      frameOf(thermostatReading("before"), reading, thermostatReading("after")),
    );
    expect(outcome).toMatchObject({
      kind: "ok",
      response: { accepted: 2n, refused: 1n, refusedReadings: [{ ordinal: 1n, fieldPath, ruleId }] },
    });
    expect(test.memory.messages.map(({ deviceId }) => deviceId)).toEqual(["before", "after"]);
    expect(test.ingest.stats()).toMatchObject({ accepted: 2, refused: 1 });
  });

  it("is rejected for a device id that is not UTF-8, without affecting other readings", async () => {
    await using test = await startTestIngest({ server });
    const bad = lengthDelimited(1, lengthDelimited(1, Buffer.from([0x61, 0xff, 0xc0])));
    const outcome = await test.client.publish(Buffer.concat([frameOf(good), bad, frameOf(good)]));
    expect(outcome).toMatchObject({
      kind: "ok",
      response: {
        accepted: 2n,
        refused: 1n,
        refusedReadings: [{ identity: "a\ufffd\ufffd||", fieldPath: "device_id" }],
      },
    });
  });

  it("is rejected for a time that the store no longer retains", async () => {
    await using test = await startTestIngest({
      server,
      dependencies: { retainedSinceMs: () => testNowMs - 10 },
    });
    const outcome = await test.client.publish(
      frameOf(thermostatReading("a", -11), thermostatReading("a", -10)),
    );
    expect(outcome).toMatchObject({
      kind: "ok",
      response: { accepted: 1n, refused: 1n, refusedReadings: [{ ruleId: "timestamp.retained" }] },
    });
  });

  it("is rejected with the name of its device if that device sends too many duplicates and the reading may be another one; the others are stored", async () => {
    await using test = await startTestIngest({
      server,
      dependencies: {
        admitOlder: (deviceId, _sensor, timestampMs) =>
          deviceId === "a" && timestampMs < testNowMs ? "too many" : undefined,
      },
    });
    const outcome = await test.client.publish(
      frameOf(thermostatReading("a", -1), thermostatReading("a", 0), thermostatReading("b", -1)),
    );
    expect(outcome).toMatchObject({
      kind: "ok",
      response: {
        accepted: 2n,
        refused: 1n,
        refusedReadings: [{ fieldPath: "device_id", ruleId: "duplicates.quota" }],
      },
    });
  });
});

describe.each(ingestServers)("a reading that breaks no rule on %s", (server) => {
  it.each<[string, Reading, number, number]>([
    [
      "the first instant of 2000",
      at({ seconds: BigInt(earliestTimestampMs / 1000), nanos: 0 }),
      earliestTimestampMs,
      21.5,
    ],
    [
      "a day ahead",
      at({ seconds: seconds + BigInt(clockAheadMaxMs / 1000), nanos: 0 }),
      testNowMs + clockAheadMaxMs,
      21.5,
    ],
    [
      "digits below the millisecond, which are cut off",
      at({ seconds, nanos: 7_999_999 }),
      testNowMs + 7,
      21.5,
    ],
    ["the least value of its range", temperature(-100), testNowMs, -100],
    ["the greatest value of its range", temperature(150), testNowMs, 150],
    ["a measurement left empty, where 0 is in range", temperature(0), testNowMs, 0],
  ])("is accepted with %s", async (_, reading, timestampMs, value) => {
    await using test = await startTestIngest({ server });
    expect(await test.client.publish(frameOf(reading))).toMatchObject({
      kind: "ok",
      response: { accepted: 1n },
    });
    expect(test.memory.messages).toEqual([{ deviceId: "good", timestampMs, sensor: "temperature", value }]);
  });

  it("is accepted with unknown fields, fields in any order and repeated fields", async () => {
    await using test = await startTestIngest({ server });
    const reading = Buffer.concat([
      lengthDelimited(4, doubleField(1, 1)),
      lengthDelimited(3, doubleField(1, 20)),
      lengthDelimited(3, Buffer.concat([tagBytes(5, 5), Buffer.alloc(4)])),
      varintField(1000, 5n),
      lengthDelimited(2, varintField(1, 5n)),
      lengthDelimited(2, varintField(2, 9_000_000n)),
      lengthDelimited(2, varintField(1, seconds)),
      tagBytes(77, 3),
      varintField(1, 1n),
      tagBytes(77, 4),
      lengthDelimited(1, Buffer.from("not me")),
      lengthDelimited(1, Buffer.from("me")),
    ]);
    expect(await test.client.publish(lengthDelimited(1, reading))).toMatchObject({
      response: { accepted: 1n },
    });
    expect(test.memory.messages).toEqual([
      { deviceId: "me", timestampMs: testNowMs + 9, sensor: "temperature", value: 20 },
    ]);
  });
});
