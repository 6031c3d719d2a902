import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { sensorByName } from "@devicemesh/proto";
import type { WatchAggregatesResponse } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { temperature, testNowMs } from "../../testing/query-fixture.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { createSharedWatches, type SharedWatchLimits } from "./shared-watches.ts";
import { watchQuestionOf } from "./watch-question.ts";

const testLimits: SharedWatchLimits = {
  watchIntervalMs: 1,
  watchMessagesPerSecond: 100_000,
  watchReadsMax: 2,
  watchReadTimeoutMs: 60_000,
  watchRowsMax: 1000,
};

/** Devices and sensors to watch. */
type Names = { readonly deviceIds?: readonly string[]; readonly sensors?: readonly string[] };

/** Watches over a memory store that counts the reads for watches, and delays them on request. */
function createFixture(limits: Partial<SharedWatchLimits> = {}, parts: Partial<ReadingStore> = {}) {
  let nowMs = testNowMs;
  const clock = () => nowMs;
  const memory = createMemoryReadingStore({ clock });
  const reads = { begun: 0, running: 0, most: 0, devices: [] as (string | undefined)[] };
  let gate: PromiseWithResolvers<void> | undefined;
  const store: ReadingStore = {
    ...memory.store,
    ...parts,
    // Every read of a live window begins with this.
    async readSeries(...request) {
      reads.begun++;
      reads.devices.push(request[0].filter.deviceIds[0]);
      reads.most = Math.max(reads.most, ++reads.running);
      try {
        await gate?.promise;
        request[1].throwIfAborted();
        return await memory.store.readSeries(...request);
      } finally {
        reads.running--;
      }
    },
  };
  const shared = createSharedWatches({
    unitOf: (sensor) => sensorByName(sensor)?.unit ?? "",
    store,
    clock,
    limits: { ...testLimits, ...limits },
  });
  return {
    memory,
    reads,
    hold() {
      gate = Promise.withResolvers();
    },
    release() {
      gate?.resolve();
      gate = undefined;
    },
    advance(ms: number) {
      nowMs += ms;
    },
    watch(names: Names = {}, caller = new AbortController()) {
      const question = watchQuestionOf(
        { deviceIds: [], sensors: [], groupBy: 0, lastBuckets: 3, ...names } as Parameters<
          typeof watchQuestionOf
        >[0],
        10_000,
      );
      const messages = shared.watch(question, caller.signal);
      return {
        caller,
        messages,
        counts: async () =>
          ((await messages.next()).value as WatchAggregatesResponse | undefined)?.buckets.map(({ row }) =>
            Number(row?.count),
          ),
      };
    },
  };
}

describe("createSharedWatches", () => {
  it("reads once for equal queries, in whatever order and how often they name devices", async () => {
    const { memory, reads, watch } = createFixture();
    memory.append([temperature("a"), temperature("b")]);
    const watches = Array.from({ length: 100 }, (_, place) =>
      watch({ deviceIds: place % 2 ? ["a", "b"] : ["b", "a", "b"] }),
    );
    const first = await Promise.all(watches.map(({ counts }) => counts()));
    expect(first).toEqual(watches.map(() => [1, 1]));
    expect(reads.begun).toBe(1);
    memory.append([temperature("a", 1)]);
    expect(await Promise.all(watches.map(({ counts }) => counts()))).toEqual(watches.map(() => [2]));
    expect(reads.begun).toBe(2);
    for (const { caller } of watches) caller.abort();
  });

  it("pauses after each read of a silent device while another device sends continuously", async () => {
    const intervalMs = 20;
    const { memory, reads, watch } = createFixture({ watchIntervalMs: intervalMs });
    const { counts, messages, caller } = watch({ deviceIds: ["quiet"] });
    await counts();
    const waiting = messages.next();
    waiting.catch(() => {});
    const beginMs = performance.now();
    const readsBefore = reads.begun;
    for (let place = 0; reads.begun < readsBefore + 6; place++) {
      memory.append([temperature("loud", place)]);
      await new Promise(setImmediate);
    }
    // There are five pauses between six reads; timers may be a millisecond early.
    expect(performance.now() - beginMs).toBeGreaterThan(5 * (intervalMs - 1));
    caller.abort();
  });

  it("reads nothing for changes of other devices, if the store reports which series have changed", async () => {
    const changes = new Map([["quiet", 0]]);
    const { memory, reads, watch } = createFixture(
      {},
      { lastChangeOf: ({ deviceIds: [device = ""] }) => changes.get(device) },
    );
    const [quiet, all] = [watch({ deviceIds: ["quiet"] }), watch()];
    await Promise.all([quiet.counts(), all.counts()]);
    const next = quiet.counts();
    for (let place = 0; place < 20; place++) {
      memory.append([temperature("loud", place)]);
      // If the store cannot look up the filter, the query is read like before.
      expect(await all.counts()).toEqual([place + 1]);
    }
    expect(reads.devices.filter((device) => device === "quiet")).toHaveLength(1);
    changes.set("quiet", 1);
    memory.append([temperature("quiet")]);
    expect(await next).toEqual([1]);
    expect(reads.devices.filter((device) => device === "quiet")).toHaveLength(2);
    for (const { caller } of [quiet, all]) caller.abort();
  });

  it("runs a few reads at a time, for any number of queries", async () => {
    const { reads, watch, hold, release } = createFixture();
    hold();
    const watches = Array.from({ length: 50 }, (_, place) => watch({ deviceIds: [`device-${place}`] }));
    const first = watches.map(({ counts }) => counts());
    await waitUntil(() => reads.running === testLimits.watchReadsMax);
    release();
    await Promise.all(first);
    expect([reads.begun, reads.most]).toEqual([50, testLimits.watchReadsMax]);
    for (const { caller } of watches) caller.abort();
  });

  it("answers a new watcher at once from a recent answer, even during a read", async () => {
    const { memory, reads, watch, hold, release } = createFixture();
    memory.append([temperature("a")]);
    const one = watch();
    expect(await one.counts()).toEqual([1]);
    hold();
    const next = one.counts();
    memory.append([temperature("a", 1)]);
    await waitUntil(() => reads.running === 1);
    const other = watch();
    expect(await other.counts()).toEqual([1]);
    release();
    expect([await next, await other.counts()]).toEqual([[2], [2]]);
    for (const { caller } of [one, other]) caller.abort();
  });

  it("begins the first read of a new query before the next reads of others", async () => {
    const { memory, reads, watch, hold, release } = createFixture({ watchReadsMax: 1 });
    const others = Array.from({ length: 20 }, (_, place) => watch({ deviceIds: [`device-${place}`] }));
    await Promise.all(others.map(({ counts }) => counts()));
    hold();
    for (const { messages } of others) messages.next().catch(() => {});
    memory.append([temperature("a")]);
    await waitUntil(() => reads.running === 1);
    const readsBefore = reads.begun;
    const fresh = watch({ deviceIds: ["a"] });
    const first = fresh.counts();
    release();
    expect(await first).toEqual([1]);
    expect(reads.devices.indexOf("a") - readsBefore).toBeLessThanOrEqual(1);
    for (const { caller } of [...others, fresh]) caller.abort();
  });

  it("reads nothing while its watchers are slow, and then sends only the newest", async () => {
    const { memory, reads, watch } = createFixture();
    const { counts, caller } = watch();
    await counts();
    const readsBefore = reads.begun;
    for (let place = 0; place < 100; place++) {
      memory.append([temperature("a", place)]);
      await new Promise(setImmediate);
    }
    expect(reads.begun).toBe(readsBefore);
    expect(await counts()).toEqual([100]);
    caller.abort();
  });

  it("sends a slow watcher in one message what a fast one of the same query received in several", async () => {
    const { memory, watch } = createFixture();
    const [slow, quick] = [watch(), watch()];
    await Promise.all([slow.counts(), quick.counts()]);
    for (const [place, device] of ["a", "b", "c"].entries()) {
      memory.append([temperature(device, place)]);
      expect(await quick.counts()).toEqual([1]);
    }
    expect(await slow.counts()).toEqual([1, 1, 1]);
    for (const { caller } of [slow, quick]) caller.abort();
  });

  it("sends each watcher fewer messages if there are many watchers", async () => {
    const { memory, watch } = createFixture({ watchMessagesPerSecond: 500 });
    const watches = Array.from({ length: 20 }, (_, place) =>
      watch({ deviceIds: ["a"], sensors: [`${place % 2}`, "temperature"] }),
    );
    await Promise.all(watches.map(({ counts }) => counts()));
    const beginMs = performance.now();
    for (let message = 0; message < 3; message++) {
      memory.append([temperature("a", message)]);
      await Promise.all(watches.map(({ counts }) => counts()));
    }
    // 60 messages at 500 a second; timers may be a millisecond early.
    expect(performance.now() - beginMs).toBeGreaterThan(100);
    for (const { caller } of watches) caller.abort();
  });

  it("rejects a watch that would exceed the rows of all answers, and continues the others", async () => {
    const { memory, watch } = createFixture({ watchRowsMax: 3 });
    memory.append(["a", "b", "c"].map((device) => temperature(device)));
    const small = watch({ deviceIds: ["a"] });
    await small.counts();
    await expect(watch().messages.next()).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringMatching(/^rows of all watches: with this watch there are 4, at most 3/),
    });
    memory.append([temperature("a", 1)]);
    expect(await small.counts()).toEqual([2]);
    small.caller.abort();
  });

  it("ends the watches of a query with the error of its read, and starts again with the next", async () => {
    const { watch, hold, release } = createFixture({ watchReadTimeoutMs: 1 });
    hold();
    const [one, other] = [watch(), watch()];
    const failed = [one, other].map(({ messages }) => messages.next());
    const outcomes = Promise.allSettled(failed);
    await new Promise((resolve) => setTimeout(resolve, 10));
    release();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "DEADLINE_EXCEEDED" } });
    }
  });

  it("stops following the store when the last watcher leaves, and follows it again for the next", async () => {
    const { memory, watch } = createFixture();
    for (let round = 0; round < 3; round++) {
      const watches = [watch(), watch({ deviceIds: ["a"] })];
      await Promise.all(watches.map(({ counts }) => counts()));
      memory.append([temperature("a", round)]);
      expect(await Promise.all(watches.map(({ counts }) => counts()))).toEqual([[round + 1], [round + 1]]);
      for (const { caller, messages } of watches) {
        const end = messages.next();
        caller.abort();
        await end.catch(() => {});
      }
    }
  });
});
