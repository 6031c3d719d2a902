import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { planRead, type SeriesPartial, type Span } from "@devicemesh/query";
import { fixedGrid } from "@devicemesh/query/calendar/bucket-grid";
import { mergePartials, partialOfReading } from "@devicemesh/query/plan/merge";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "../duckdb-store.ts";

const second = 1000;
const minute = 60 * second;
const day = 86_400 * second;
const startMs = Date.UTC(2026, 10, 24, 11, 59, 30);
const levels = [
  { windowMs: second, segmentMs: second },
  { windowMs: 10 * second, segmentMs: 10 * second },
  { windowMs: minute, segmentMs: minute },
];

/** The events of a store, and the queries. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      // Late by up to ten minutes, or early by a few seconds; or of many devices in one second.
      offsetsMs: fc.oneof(
        fc.array(fc.integer({ min: -10 * minute, max: 5 * second }), { minLength: 1, maxLength: 20 }),
        fc
          .tuple(
            fc.integer({ min: -600, max: 4 }),
            fc.array(fc.constantFrom(0, 0, 7, 990), { minLength: 20, maxLength: 40 }),
          )
          .map(([at, offsets]) => offsets.map((offset) => at * second + offset)),
      ),
      devices: fc.constantFrom(3, 12),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.constantFrom(400, 3000, 17_000, 150_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      sinceMs: fc.integer({ min: -12 * minute, max: 20 * second }),
      lengthMs: fc.oneof(fc.nat(3000), fc.nat(15 * minute)),
      device: fc.option(fc.nat(2)),
      sensor: fc.option(fc.constantFrom("temperature", "humidity")),
      mergeDevices: fc.boolean(),
      bucketMs: fc.option(fc.constantFrom(second, 7 * second, 10 * second, minute)),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

type Ask = Extract<typeof step extends fc.Arbitrary<infer Each> ? Each : never, { readonly kind: "ask" }>;

/** A store with a clock that the test controls, and its published readings. */
async function openJudged(options: Partial<EmbeddedStoreOptions>) {
  const folder = temporaryFolder();
  let nowMs = startMs;
  const open = () =>
    openEmbeddedStore({
      folder: folder.path,
      clock: () => nowMs,
      elapsedMs: () => 0,
      levels,
      memoryMib: 64,
      ...options,
    });
  let store: EmbeddedStore = await open();
  /** The first reading of each identity. */
  const published = new Map<string, DeviceMessage>();

  /** Brute force: the aggregates of all covered readings, for each group and bucket. */
  function expected(
    timeframe: Span,
    notCovered: readonly Span[],
    { device, sensor, mergeDevices, bucketMs }: Ask,
  ) {
    const isIn = (span: Span, { timestampMs }: DeviceMessage) =>
      timestampMs >= span.sinceMs && timestampMs < span.toMs;
    const counted = [...published.values()].filter(
      (reading) =>
        isIn(timeframe, reading) &&
        !notCovered.some((span) => isIn(span, reading)) &&
        (device === null || reading.deviceId === `device-${device}`) &&
        (sensor === null || reading.sensor === sensor),
    );
    return counted.map((reading): SeriesPartial => {
      const { deviceId, sensor: name, timestampMs } = reading;
      return {
        ...partialOfReading(reading),
        deviceId: mergeDevices ? "" : deviceId,
        sensor: name,
        bucketMs: bucketMs === null ? 0 : timestampMs - (timestampMs % bucketMs),
        fromRaw: 0,
        firstDeviceId: deviceId,
        lastDeviceId: deviceId,
      };
    });
  }

  return {
    async publish(
      { offsetsMs, devices }: { readonly offsetsMs: readonly number[]; readonly devices: number },
      place: number,
    ) {
      const messages = offsetsMs.map((offsetMs, row) => ({
        deviceId: `device-${(place + row) % devices}`,
        sensor: row % 2 === 0 ? ("temperature" as const) : ("humidity" as const),
        timestampMs: Math.max(nowMs + offsetMs, store.earliestAcceptedMs()),
        value: Math.abs(offsetMs * 7) % 50,
      }));
      for (const message of messages) {
        const identity = `${message.deviceId} ${message.sensor} ${message.timestampMs}`;
        if (!published.has(identity)) published.set(identity, message);
      }
      await store.log.append(batchOf(messages));
    },
    async advance(ms: number) {
      nowMs += ms;
      await store.maintain();
    },
    async restart() {
      await store.close();
      store = await open();
    },
    async ask(ask: Ask) {
      const { sinceMs, lengthMs, device, sensor, mergeDevices, bucketMs } = ask;
      const { signal } = new AbortController();
      const horizon = await store.readings.readHorizon(signal);
      const buckets = bucketMs === null ? undefined : fixedGrid(bucketMs, 0);
      const timeframe = { sinceMs: nowMs + sinceMs, toMs: nowMs + sinceMs + lengthMs };
      const { plan, notCovered } = planRead({ ...timeframe, levels, horizon, buckets });
      const filter = {
        deviceIds: device === null ? [] : [`device-${device}`],
        sensors: sensor === null ? [] : [sensor],
      };
      const { partials } = await store.readings.readPartials(
        { plan, filter, mergeDevices, ...(buckets && { buckets }) },
        signal,
      );
      expect(merged(partials)).toEqual(merged(expected(timeframe, notCovered, ask)));
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

/** One row for each group and bucket, with sums rounded so that they compare equal. */
function merged(partials: readonly SeriesPartial[]) {
  const groups = Map.groupBy(
    partials,
    ({ deviceId, sensor, bucketMs }) => `${deviceId} ${sensor} ${bucketMs}`,
  );
  return [...groups]
    .map(([key, group]) => {
      const { sum, m2, ...figures } = mergePartials(group);
      return { key, ...figures, sum: Number(sum.toFixed(6)), m2: Number(m2.toFixed(3)) };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

describe.each([
  ["all that is read", 80, undefined],
  ["next to nothing", 0.001, undefined],
  ["what retention deletes", 80, { rawMs: 3 * minute, levelsMs: [5 * minute, 8 * minute, day] }],
])("the memory of windows, keeping %s", (_, windowMemoryMib, retention) => {
  it("never changes an answer, whatever is late, folded, deleted or restarted in between", {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        await using judged = await openJudged({ windowMemoryMib, ...(retention && { retention }) });
        for (const [place, each] of steps.entries()) {
          if (each.kind === "publish") await judged.publish(each, place);
          else if (each.kind === "advance") await judged.advance(each.ms);
          else if (each.kind === "restart") await judged.restart();
          else await judged.ask(each);
        }
      }),
      { numRuns: 6 },
    );
  });
});
