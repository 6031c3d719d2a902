import { BSON } from "mongodb";
import { expect, it } from "vitest";
import { constants } from "./constants.ts";

const device = "site-01:dev-001";
const series = `${device}|temperature`;
const time = new Date(Date.UTC(2026, 0, 1, 12, 34, 56, 789));
const iso = time.toISOString();

const reading = {
  _id: `${series}|${iso}`,
  device_id: device,
  sensor: "temperature",
  timestamp: time,
  value: 20.5,
  arrived: time,
  offset: 123_456_789,
};
const figures = {
  count: 10,
  sum: 205.5,
  minimum: 20.5,
  maximum: 21.5,
  first_value: 20.5,
  last_value: 20.7,
  m2: 1.5,
};
const times = ["window_start", "segment_start", "minimum_at", "maximum_at", "first_at", "last_at"];
const named = { device_id: device, sensor: "temperature" };
const partialId = `${series}|${iso}|${iso}`;
const partial = {
  _id: partialId,
  ...named,
  ...figures,
  ...Object.fromEntries(times.map((name) => [name, time])),
};
const onTopic = { ...named, ...figures, ...Object.fromEntries(times.map((name) => [name, time.getTime()])) };

it.each([
  ["readingBytes", BSON.calculateObjectSize(reading)],
  ["partialBytes", BSON.calculateObjectSize(partial)],
  ["partialLogBytes", Buffer.byteLength(partialId) + Buffer.byteLength(JSON.stringify(onTopic))],
] as const)("%s is the size of a document with a device id of 15 characters", (name, bytes) => {
  expect(constants[name].value / bytes).toBeGreaterThan(0.9);
  expect(constants[name].value / bytes).toBeLessThan(1.1);
});
