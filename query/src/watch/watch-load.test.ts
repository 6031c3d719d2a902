import { request } from "node:http";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { QuotaFailureSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AccessFixture, bearer, createAccessFixture } from "../../testing/access-fixture.ts";
import { failureOf, startTestQuery, temperature } from "../../testing/query-fixture.ts";
import { allTime } from "../plan/planner.ts";
import type { ReadingStore } from "../store/reading-store.ts";

/** A wrapper of a store: records the reads for live windows, and delays them on request. */
function createProbe() {
  const reads = { begun: [] as string[], running: 0, most: 0 };
  let gate: PromiseWithResolvers<void> | undefined;
  return {
    reads,
    hold: () => {
      gate = Promise.withResolvers();
    },
    release: () => gate?.resolve(),
    wrap: (store: ReadingStore): ReadingStore => ({
      ...store,
      async readDuplicateWindows(question, signal) {
        // Only a live window has two bounds: the other calls of these tests query all time.
        const { sinceMs, toMs, filter } = question;
        if (sinceMs === allTime.sinceMs || toMs === allTime.toMs)
          return store.readDuplicateWindows(question, signal);
        reads.begun.push(filter.deviceIds.join());
        reads.most = Math.max(reads.most, ++reads.running);
        try {
          await gate?.promise;
          return await store.readDuplicateWindows(question, signal);
        } finally {
          reads.running--;
        }
      },
    }),
  };
}

describe("many watches", () => {
  it("pause after each read of a silent device while another device sends continuously", async () => {
    const probe = createProbe();
    const intervalMs = 20;
    await using running = await startTestQuery({ wrap: probe.wrap, config: { watchIntervalMs: intervalMs } });
    const caller = new AbortController();
    const watch = running.client.watchAggregates({ deviceIds: ["quiet"] }, { signal: caller.signal });
    const messages = watch[Symbol.asyncIterator]();
    await messages.next();
    const end = failureOf(messages.next());
    const readsBefore = probe.reads.begun.length;
    const beginMs = performance.now();
    for (let place = 0; probe.reads.begun.length < readsBefore + 6; place++) {
      running.memory.append([temperature("loud", place)]);
      await new Promise(setImmediate);
    }
    // There are five pauses between six reads; timers may be a millisecond early.
    expect(performance.now() - beginMs).toBeGreaterThan(5 * (intervalMs - 1));
    caller.abort();
    await end;
  });

  it("share one read if they are equal, and all receive its answer", async () => {
    const probe = createProbe();
    await using running = await startTestQuery({ wrap: probe.wrap });
    const client = createClient(QueryService, createGrpcTransport({ baseUrl: running.baseUrl }));
    const caller = new AbortController();
    const watches = Array.from({ length: 50 }, (_, place) =>
      client
        .watchAggregates({ deviceIds: place % 2 ? ["a", "b"] : ["b", "a"] }, { signal: caller.signal })
        [Symbol.asyncIterator](),
    );
    await Promise.all(watches.map((messages) => messages.next()));
    const readsBefore = probe.reads.begun.length;
    running.memory.append([temperature("a")]);
    const answers = await Promise.all(watches.map((messages) => messages.next()));
    expect(answers.map(({ value }) => value?.buckets[0]?.row?.count)).toEqual(watches.map(() => 1n));
    // One for the change, and at most one for watches that began to wait during it.
    expect(probe.reads.begun.length - readsBefore).toBeLessThanOrEqual(2);
    caller.abort();
    await Promise.all(watches.map((messages) => failureOf(messages.next())));
  });

  it("leave the store to other calls: few of their reads run at a time", async () => {
    const probe = createProbe();
    await using running = await startTestQuery({ wrap: probe.wrap, config: { watchReadsMax: 2 } });
    const client = createClient(QueryService, createGrpcTransport({ baseUrl: running.baseUrl }));
    const caller = new AbortController();
    probe.hold();
    const first = Array.from({ length: 50 }, (_, place) =>
      client
        .watchAggregates({ deviceIds: [`device-${place}`] }, { signal: caller.signal })
        [Symbol.asyncIterator]()
        .next(),
    );
    await waitUntil(() => probe.reads.running === 2);
    expect((await client.getAggregates({})).rows).toEqual([]);
    probe.release();
    await Promise.all(first);
    expect(probe.reads.most).toBe(2);
    caller.abort();
  });

  it("pause the reads of a watch whose client does not read, and buffer nothing for it", async () => {
    const probe = createProbe();
    await using running = await startTestQuery({ wrap: probe.wrap });
    const stalled = request(`${running.baseUrl}/devicemesh.v1.QueryService/WatchAggregates`, {
      method: "POST",
      headers: { "content-type": "application/connect+json", "connect-protocol-version": "1" },
    });
    stalled.on("error", () => {});
    const answering = new Promise((resolve) => stalled.once("response", resolve));
    stalled.end(Buffer.from([0, 0, 0, 0, 2, ...Buffer.from("{}")]));
    // No client reads from here on.
    await answering;
    const caller = new AbortController();
    const reading = running.client.watchAggregates({ deviceIds: ["quick"] }, { signal: caller.signal });
    const messages = reading[Symbol.asyncIterator]();
    await messages.next();
    const rounds = 40;
    const devices = Array.from({ length: 1000 }, (_, place) => `${"device".padEnd(100, "-")}${place}`);
    for (let round = 0; round < rounds; round++) {
      // About 700 KB of JSON a message, far more in total than sockets buffer.
      running.memory.append([...devices, "quick"].map((device) => temperature(device, round)));
      await messages.next();
    }
    const forStalled = probe.reads.begun.filter((devices) => devices === "").length;
    expect(probe.reads.begun.length - forStalled).toBeGreaterThan(rounds);
    expect(forStalled).toBeLessThan(0.75 * rounds);
    stalled.destroy();
    caller.abort();
  });
});

describe("limits of watches", () => {
  let fixture: AccessFixture;
  beforeAll(async () => {
    fixture = await createAccessFixture();
  });
  afterAll(() => fixture[Symbol.dispose]());

  it("reject further watches of one user with the name of the limit, for any of its tokens, and none of another user", async () => {
    await using running = await fixture.start("tokens", {}, { watchesPerCallerMax: 2 });
    const client = createClient(QueryService, createGrpcTransport({ baseUrl: running.baseUrl }));
    const caller = new AbortController();
    async function open(subject: string) {
      const headers = bearer(await fixture.issuer.token({ subject }));
      const watch = client.watchAggregates({}, { headers, signal: caller.signal });
      return watch[Symbol.asyncIterator]().next();
    }
    await open("ann");
    await open("ann");
    const refused = await failureOf(open("ann"));
    expect(refused.code).toBe(Code.ResourceExhausted);
    expect(refused.findDetails(QuotaFailureSchema)[0]?.violations).toMatchObject([
      { subject: "watches of a caller", description: expect.stringContaining("ann has 2 open") },
    ]);
    expect((await open("bob")).value?.snapshot).toBe(true);
    caller.abort();
  });
});
