import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createFakeIngest, type Respond, unavailableNow } from "../../testing/fake-ingest.ts";
import { gatewayLimits } from "../limits.ts";
import type { GatewayReading } from "../readings/gateway-reading.ts";
import { createDelivery } from "./delivery.ts";

const limits = { ...gatewayLimits.delivery, backoff: { firstMs: 1, longestMs: 2 } };
const reading = (deviceId: string, timestampMs: number, value = 1): GatewayReading => ({
  deviceId,
  sensor: "temperature",
  timestampMs,
  value,
});
const readingsOf = (count: number, deviceId = "a") =>
  Array.from({ length: count }, (_, at) => reading(deviceId, at));

it("resolves only after ingest has acknowledged the readings", async () => {
  const sender = createFakeIngest({ isQueued: true });
  const delivery = createDelivery({ sender, limits });
  let isDone = false;
  const outcome = delivery.submit([reading("a", 1)]).finally(() => {
    isDone = true;
  });
  await expect.poll(() => sender.calls.length).toBe(1);
  expect(isDone).toBe(false);
  sender.release();
  expect(await outcome).toEqual({ kind: "done", rejected: [] });
  expect(sender.stored).toEqual([reading("a", 1)]);
});

it("sends the readings that gather during a call as one batch, in the order of submission", async () => {
  const sender = createFakeIngest({ isQueued: true });
  const delivery = createDelivery({ sender, limits: { ...limits, lanes: 1 } });
  const outcomes = Array.from({ length: 50 }, (_, at) => delivery.submit([reading("a", at)]));
  sender.release();
  await Promise.all(outcomes);
  expect(sender.calls.map((call) => call.length)).toEqual([1, 49]);
  expect(sender.stored.map(({ timestampMs }) => timestampMs)).toEqual([...Array(50).keys()]);
});

it("has at most one call in progress for a device", async () => {
  const sender = createFakeIngest();
  const delivery = createDelivery({ sender, limits });
  await Promise.all(Array.from({ length: 20 }, (_, at) => delivery.submit([reading("a", at)])));
  expect(sender.mostAtOnce()).toBe(1);
});

it("retries until ingest answers", async () => {
  const respond: Respond = (_, call) => (call < 3 ? unavailableNow : undefined);
  const sender = createFakeIngest({ respond });
  const delivery = createDelivery({ sender, limits });
  expect(await delivery.submit([reading("a", 1)])).toEqual({ kind: "done", rejected: [] });
  expect(delivery.counts()).toMatchObject({ stored: 1, waiting: 0, failedAttempts: 3 });
});

it("reports readings as unavailable when ingest does not store them in time, and sends the next", async () => {
  let isUnavailable = true;
  const sender = createFakeIngest({ respond: () => (isUnavailable ? unavailableNow : undefined) });
  const delivery = createDelivery({ sender, limits });
  expect(await delivery.submit([reading("a", 1)], { waitMs: 20 })).toEqual({
    kind: "unavailable",
    message: expect.stringContaining("the log is unavailable"),
    retryAfterMs: limits.retryAfterMs,
  });
  expect(delivery.isReachable()).toBe(false);
  isUnavailable = false;
  expect(await delivery.submit([reading("a", 2)])).toEqual({ kind: "done", rejected: [] });
  expect(delivery.isReachable()).toBe(true);
});

it("keeps at most as many readings as its queue holds", async () => {
  const sender = createFakeIngest({ isQueued: true });
  const delivery = createDelivery({ sender, limits: { ...limits, readingsMax: 10 } });
  const first = delivery.submit(readingsOf(10));
  expect(delivery.hasCapacity()).toBe(false);
  expect(await delivery.submit([reading("b", 1)])).toMatchObject({ kind: "unavailable" });
  const capacity = delivery.capacity();
  sender.release();
  await capacity;
  expect(await first).toMatchObject({ kind: "done" });
  expect(await delivery.submit([reading("b", 1)])).toMatchObject({ kind: "done" });
});

it("reports each rejected reading, also where ingest lists only the first hundred", async () => {
  const sender = createFakeIngest({ isValid: ({ timestampMs }) => timestampMs % 3 === 0 });
  const delivery = createDelivery({ sender, limits });
  const outcome = await delivery.submit(readingsOf(1000));
  const expected = [...Array(1000).keys()].filter((at) => at % 3 !== 0);
  expect(outcome.kind === "done" && outcome.rejected.map(({ index }) => index)).toEqual(expected);
  expect(sender.stored).toHaveLength(334);
});

it("stores the other readings if ingest rejects a whole batch because of one", async () => {
  const respond: Respond = (readings) =>
    readings.some(({ timestampMs }) => timestampMs === 7)
      ? { kind: "failed", code: "INVALID_ARGUMENT", message: "malformed", retryDelayMs: undefined }
      : undefined;
  const sender = createFakeIngest({ respond });
  const delivery = createDelivery({ sender, limits });
  expect(await delivery.submit(readingsOf(20))).toEqual({
    kind: "done",
    rejected: [{ index: 7, field: "", rule: "INVALID_ARGUMENT", text: "malformed" }],
  });
  expect(sender.stored).toHaveLength(19);
});

it("closes within its limit, and reports unacknowledged readings as unavailable", async () => {
  const sender = createFakeIngest({ isQueued: true });
  const delivery = createDelivery({ sender, limits });
  const outcome = delivery.submit([reading("a", 1)]);
  await delivery.close({ limitMs: 5 });
  await delivery.close({ limitMs: 5 });
  expect(await outcome).toMatchObject({ kind: "unavailable" });
  expect(await delivery.submit([reading("a", 2)])).toMatchObject({ kind: "unavailable" });
});

it("stores every acknowledged reading once and each series in order, whatever fails", async () => {
  const submission = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 });
  const failures = fc.array(fc.constantFrom("ok", "unavailable", "lost", "invalid"), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(submission, { maxLength: 8 }), failures, async (submissions, plan) => {
      const sender = createFakeIngest({
        respond(readings, call) {
          const failure = plan[call] ?? "ok";
          if (failure === "invalid" && readings.length > 1)
            return {
              kind: "failed",
              code: "INVALID_ARGUMENT",
              message: "too large",
              retryDelayMs: undefined,
            };
          return failure === "unavailable" || failure === "lost" ? unavailableNow : undefined;
        },
      });
      const delivery = createDelivery({
        sender,
        limits: { ...limits, backoff: { firstMs: 0, longestMs: 0 }, batchReadings: 5 },
      });
      let next = 0;
      const all = submissions.map((devices) => devices.map((device) => reading(`d${device}`, next++)));
      const outcomes = await Promise.all(all.map((readings) => delivery.submit(readings)));
      expect(outcomes.every((outcome) => outcome.kind === "done" && outcome.rejected.length === 0)).toBe(
        true,
      );
      const byDevice = (readings: readonly GatewayReading[]) =>
        Object.entries(Object.groupBy(readings, ({ deviceId }) => deviceId)).sort();
      expect(byDevice(sender.stored)).toEqual(byDevice(all.flat()));
    }),
    { numRuns: 300 },
  );
});
