import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testLookup } from "../../testing/test-lookup.ts";
import { nowMs, payloadOf, read, readingsOf } from "../../testing/topic-readings.ts";
import { createTopicMapping } from "./topic-mapping.ts";

describe("templates", () => {
  it("read a number for a device and a sensor, and an object for a device", () => {
    expect(readingsOf("kitchen/temperature", "21.5")).toEqual(["kitchen|temperature|21.5"]);
    expect(readingsOf("home/kitchen/temp", "21.5\n")).toEqual(["home/kitchen|temperature|21.5"]);
    expect(readingsOf("kitchen/occupancy", "ON")).toEqual(["kitchen|occupancy|1"]);
    expect(readingsOf("kitchen/xyz", "1e3")).toEqual(["kitchen|xyz|1000"]);
    const object = { temperature: 1, humidity: 50, timestamp: "2023-03-28T20:04:22Z", note: "x" };
    expect(readingsOf("home/kitchen", object)).toEqual([
      "home/kitchen|temperature|1|2023-03-28T20:04:22.000Z",
      "home/kitchen|humidity|50|2023-03-28T20:04:22.000Z",
    ]);
    expect(readingsOf("x", { device_id: "own", temperature: 1 })).toEqual(["own|temperature|1"]);
  });

  it("match their literal levels only", () => {
    const mapping = createTopicMapping(["site/+/{device_id}/{sensor}"], testLookup);
    expect(readingsOf("site/a/dev.1/temperature", "1", mapping)).toEqual(["dev.1|temperature|1"]);
    for (const topic of ["site/dev/temperature", "other/a/dev/temperature", "site/a/dev"])
      expect(readingsOf(topic, "1", mapping)).toEqual([]);
  });

  it("report a text under the name of a sensor, and ignore messages of another purpose", () => {
    const { readings, rejected } = read({ topic: "kitchen/temperature", payload: payloadOf("21,5"), nowMs });
    expect(readings).toEqual([]);
    expect(rejected).toMatchObject([{ field: "temperature", rule: "value.number" }]);
    for (const [topic, payload] of [
      ["kitchen/status", "online"],
      ["kitchen/temperature", "unavailable"],
      ["kitchen/temperature", ""],
      ["kitchen", "[1]"],
      ["kitchen", "{broken"],
      ["$SYS/broker/uptime", "17"],
    ] as const)
      expect(readingsOf(topic, payload)).toEqual([]);
    expect(read({ topic: "a/temperature", payload: Buffer.from([0xff, 0x31]), nowMs }).readings).toEqual([]);
  });

  it.each([
    "",
    "a/b",
    "{device_id}/{device_id}",
    "{sensor}",
    "{device_id}/#",
    "{device}/{sensor}",
    "x{device_id}",
  ])("name what is wrong with %j", (template) =>
    expect(() => createTopicMapping([template], testLookup)).toThrow(RangeError),
  );
});

it("never throws for a message, and returns only finite values", () => {
  const level = fc.constantFrom(
    "zigbee2mqtt",
    "tele",
    "SENSOR",
    "shellies",
    "status",
    "switch:0",
    "sensor",
    "temperature",
    "state",
    "a",
    "",
    "events",
    "rpc",
    "homeassistant",
    "__proto__",
  );
  const key = fc.constantFrom(
    "temperature",
    "Time",
    "AM2301",
    "Temperature",
    "params",
    "method",
    "tC",
    "last_seen",
    "voltage",
    "battery",
    "aenergy",
    "total",
    "switch:0",
    "constructor:0",
  );
  const leaf = fc.oneof(
    fc.double(),
    fc.constantFrom<unknown>("1", "ON", "nan", null, true, "NotifyStatus", "2023-03-28T20:04:22Z"),
  );
  const object = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { maxKeys: 3 })), { maxKeys: 4 });
  const payload = fc.oneof(
    object.map((value) => Buffer.from(JSON.stringify(value))),
    leaf.map((value) => Buffer.from(String(value))),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), payload, (levels, bytes) => {
      const { readings, rejected } = read({ topic: levels.join("/"), payload: bytes, nowMs });
      for (const { value, timestampMs } of readings)
        expect(Number.isFinite(value) && Number.isInteger(timestampMs)).toBe(true);
      for (const { rule, text } of rejected) expect(rule !== "" && text !== "").toBe(true);
    }),
    { numRuns: 100_000 },
  );
});
