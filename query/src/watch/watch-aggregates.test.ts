import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, createClient, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { millisecondsFloor } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  QueryService,
  WatchAggregatesRequestSchema,
  type WatchAggregatesResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import {
  failureOf,
  startTestQuery,
  temperature,
  testNowMs,
  transportsOf,
} from "../../testing/query-fixture.ts";
import { createQueryService } from "../api/service.ts";
import type { ReadingStore } from "../store/reading-store.ts";

/** Buckets as "offset from the tests' time in s: count of device". */
function reported(message: WatchAggregatesResponse | undefined): string[] {
  return (message?.buckets ?? []).map(({ start, row }) => {
    const offsetMs = millisecondsFloor(start ?? { seconds: 0n, nanos: 0 }) - testNowMs;
    return `${offsetMs / 1000}: ${row?.count} of ${row?.deviceId || "all"}`;
  });
}

/** The readings ahead as "count of device". */
function aheadIn(message: WatchAggregatesResponse | undefined): string[] {
  return (message?.ahead ?? []).map(({ count, deviceId }) => `${count} of ${deviceId}`);
}

/** Counts the running watches of a store. */
function countingWatches(store: ReadingStore) {
  let running = 0;
  const counting: ReadingStore = {
    ...store,
    async *watchChanges(signal) {
      running++;
      try {
        yield* store.watchChanges(signal);
      } finally {
        running--;
      }
    },
  };
  return { store: counting, running: () => running };
}

/** The last minute of every sensor. */
const lastMinute = { groupBy: GroupBy.SENSOR, lastBuckets: 6 };

function openWatch(
  running: Awaited<ReturnType<typeof startTestQuery>>,
  request: MessageInitShape<typeof WatchAggregatesRequestSchema> = {},
) {
  const caller = new AbortController();
  const messages = running.client.watchAggregates(request, { signal: caller.signal })[Symbol.asyncIterator]();
  return {
    caller,
    messages,
    next: async () => (await messages.next()).value as WatchAggregatesResponse | undefined,
  };
}

describe("watchAggregates", () => {
  it("sends a message at once, also without readings, and then each bucket that changes", async () => {
    await using running = await startTestQuery();
    const { next } = openWatch(running);
    expect(await next()).toMatchObject({ snapshot: true, buckets: [], bucket: { seconds: 10n } });
    running.memory.append([temperature("a")]);
    const first = await next();
    expect([first?.snapshot, reported(first)]).toEqual([false, ["-2: 1 of a"]]);
    expect(first?.coverage).toMatchObject({ fromWindows: 0n, fromRaw: 1n });
    running.memory.append([temperature("b", 3), temperature("b", -60_000)]);
    expect(reported(await next())).toEqual(["-62: 1 of b", "-2: 1 of b"]);
    running.advance(10_000);
    running.memory.append([temperature("a", 1), temperature("a", 10_000)]);
    expect(reported(await next())).toEqual(["-2: 2 of a", "8: 1 of a"]);
  });

  it("begins with the last buckets, and drops those that become too old", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a", -15_000), temperature("a", -5000), temperature("a", -1)]);
    const { next } = openWatch(running, { lastBuckets: 2 });
    expect(reported(await next())).toEqual(["-12: 1 of a", "-2: 1 of a"]);
    running.advance(60_000);
    running.memory.append([temperature("a", -2)]);
    running.memory.append([temperature("a", 60_000)]);
    expect(reported(await next())).toEqual(["58: 1 of a"]);
  });

  it("lists readings ahead of the current time separately, each group when it changes", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a"), temperature("b", 70_000)]);
    const { next } = openWatch(running, { lastBuckets: 1 });
    const first = await next();
    expect([reported(first), aheadIn(first)]).toEqual([["-2: 1 of a"], ["1 of b"]]);
    running.memory.append([temperature("c", 20 * 3_600_000)]);
    const second = await next();
    expect([reported(second), aheadIn(second)]).toEqual([[], ["1 of c"]]);
    running.advance(70_000);
    running.memory.append([temperature("a", 70_000)]);
    const third = await next();
    expect([reported(third), aheadIn(third)]).toEqual([["68: 1 of a", "68: 1 of b"], ["0 of b"]]);
  });

  it("begins at the current time, although the clock of one device is 70 s ahead", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a"), temperature("fast", 70_000, 30)]);
    const { next } = openWatch(running, lastMinute);
    const message = await next();
    expect(message?.buckets.map(({ row }) => [row?.count, row?.average])).toEqual([[1n, 21.5]]);
    expect(message?.ahead.map(({ count, average }) => [count, average])).toEqual([[1n, 30]]);
  });

  it("shows readings that were ahead as soon as they are current, without further readings", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("fast", 70_000)]);
    const { next } = openWatch(running);
    expect(aheadIn(await next())).toEqual(["1 of fast"]);
    running.advance(70_000);
    const message = await next();
    expect([reported(message), aheadIn(message)]).toEqual([["68: 1 of fast"], ["0 of fast"]]);
  });

  it("merges groups", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a"), temperature("b")]);
    const { next } = openWatch(running, { groupBy: GroupBy.ALL });
    expect(reported(await next())).toEqual(["-2: 2 of all"]);
  });

  it("is not disturbed by folding", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a")]);
    const { next } = openWatch(running);
    await next();
    running.advance(30_000);
    running.memory.fold();
    running.memory.append([temperature("a", 1)]);
    const message = await next();
    expect(reported(message)).toEqual(["-2: 2 of a"]);
    expect(message?.coverage).toMatchObject({ fromWindows: 1n, fromRaw: 1n });
  });

  it("throws the reason of a call that has ended", async () => {
    const { store } = createMemoryReadingStore({ clock: () => testNowMs });
    const call = new AbortController();
    const service = createQueryService({ store, clock: () => testNowMs });
    const context = {
      signal: call.signal,
      values: createContextValues(),
      requestHeader: new Headers(),
    } as HandlerContext;
    const request = create(WatchAggregatesRequestSchema);
    const watch = service.watchAggregates(request, context)[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    const reason = new Error("the deadline");
    call.abort(reason);
    await expect(next).rejects.toBe(reason);
  });

  it("sends messages at least one interval apart", async () => {
    await using running = await startTestQuery({ config: { watchIntervalMs: 60 } });
    const { next } = openWatch(running);
    let beforeMs = performance.now();
    await next();
    for (let place = 0; place < 4; place++) {
      running.memory.append([temperature("a", place)]);
      await next();
      const nowMs = performance.now();
      // The first message may have been in transit for a while.
      if (place > 0) expect(nowMs - beforeMs).toBeGreaterThan(45);
      beforeMs = nowMs;
    }
  });

  it("stops following the store when the client cancels", async () => {
    let watches: ReturnType<typeof countingWatches> | undefined;
    await using running = await startTestQuery({
      wrap: (store) => {
        watches = countingWatches(store);
        return watches.store;
      },
    });
    for (const [, transport] of transportsOf(running.baseUrl)) {
      const caller = new AbortController();
      const client = createClient(QueryService, transport);
      const messages = client.watchAggregates({}, { signal: caller.signal })[Symbol.asyncIterator]();
      await messages.next();
      expect(watches?.running()).toBe(1);
      caller.abort();
      expect((await failureOf(messages.next())).code).toBe(Code.Canceled);
      await waitUntil(() => watches?.running() === 0);
    }
  });

  it("ends without an error when the server stops, over every protocol", async () => {
    for (const place of transportsOf("http://127.0.0.1:0").keys()) {
      const running = await startTestQuery({ config: { shutdownGraceMs: 2000 } });
      const [name, transport] = transportsOf(running.baseUrl)[place]!;
      const messages = createClient(QueryService, transport).watchAggregates({})[Symbol.asyncIterator]();
      await messages.next();
      const end = messages.next();
      const closing = running.query.close();
      expect([name, (await end).done]).toEqual([name, true]);
      await closing;
    }
  });

  it("is DEADLINE_EXCEEDED at the caller's deadline, which may be longer than that of other calls", async () => {
    await using running = await startTestQuery({ config: { callTimeoutMs: 50 } });
    const messages = running.client.watchAggregates({}, { timeoutMs: 2000 })[Symbol.asyncIterator]();
    await messages.next();
    expect((await failureOf(messages.next())).code).toBe(Code.DeadlineExceeded);
  });

  it("is RESOURCE_EXHAUSTED beyond the limit of watches, until one ends", async () => {
    await using running = await startTestQuery({ config: { watchesMax: 1 } });
    const first = openWatch(running);
    await first.next();
    expect((await failureOf(openWatch(running).messages.next())).code).toBe(Code.ResourceExhausted);
    first.caller.abort();
    await waitUntil(async () => {
      const second = openWatch(running);
      try {
        return (await second.next())?.snapshot === true;
      } catch {
        return false;
      } finally {
        second.caller.abort();
      }
    });
  });

  it("ends with UNAVAILABLE when the store closes", async () => {
    await using running = await startTestQuery();
    const { next, messages } = openWatch(running);
    await next();
    running.memory.close();
    expect((await failureOf(messages.next())).code).toBe(Code.Unavailable);
  });
});
