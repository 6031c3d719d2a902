import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { connectorGroup } from "@devicemesh/pipeline";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectExact } from "../../testing/mesh/exact-sets.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { everyMs } from "../../testing/mesh/waits.ts";

const engines = await testEngines();

const readingsPerSecond = 4000;
const loadSeconds = 90;
const lateEvery = 4;
const threeDaysMs = 3 * 86_400_000;
const prefix = "late.";
/** The deadline of each question. */
const deadlineMs = 30_000;
/** How long the pipeline may take to store what waits after the load, on a slow machine. */
const catchUpLimitMs = 600_000;

describe.skipIf(engines === undefined)("4,000 readings a second, a quarter late by up to three days", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "late-load");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 180_000);

  it("are all stored, queries end within their deadline meanwhile, and few partials wait", {
    timeout: catchUpLimitMs * 3,
  }, async () => {
    const questions = askMeanwhile(mesh);
    const waiting = watchWaitingPartials(mesh);
    const load = startSteadyLoad({
      target: mesh.address,
      prefix,
      devices: 200,
      readingsPerSecond,
      lateEvery,
      lateUpToMs: threeDaysMs,
    });
    const beginMs = performance.now();
    let [loadMs, sealedMs] = [Number.NaN, Number.NaN];
    try {
      await waitUntil(() => load.sent.size >= readingsPerSecond * loadSeconds, {
        timeoutMs: catchUpLimitMs,
        everyMs,
        what: "the load is sent",
      });
      await load.finish();
      loadMs = performance.now() - beginMs;
      await questions.stop();
      await mesh.untilSealed({ timeoutMs: catchUpLimitMs });
      sealedMs = performance.now() - beginMs;
    } finally {
      load.abort();
      await Promise.all([questions.stop(), waiting.stop()]);
      process.stdout.write(
        `late load: ${load.acked.size} readings in ${Math.round(loadMs)} ms, sealed after ${Math.round(sealedMs)} ms; ` +
          `${questions.tookMs.length} answers, the slowest ${Math.round(Math.max(...questions.tookMs))} ms; ` +
          `${JSON.stringify(questions.failures)}; at most ${waiting.most} partials waited, ${waiting.last} at the end\n`,
      );
    }
    await expectExact(mesh, load, prefix);
    expect(questions.failures.filter(({ code }) => code !== Code.ResourceExhausted)).toEqual([]);
    expect(questions.tookMs.length).toBeGreaterThan(loadSeconds / 3);
    // Each late reading is a partial of its own; the sink keeps up with them, instead of gathering them.
    expect(waiting.most).toBeLessThan((readingsPerSecond / lateEvery) * (loadSeconds / 3));
  });
});

/** Asks over everything and over a part, one question after the other, until it is stopped. */
function askMeanwhile({ query }: RealMesh) {
  const stopping = new AbortController();
  const tookMs: number[] = [];
  const failures: { readonly code: Code; readonly text: string }[] = [];
  const questions = [
    { groupBy: GroupBy.SENSOR },
    { groupBy: GroupBy.SENSOR, since: protoTimestamp(Date.now() - threeDaysMs / 2) },
    { deviceIds: Array.from({ length: 20 }, (_, place) => `${prefix}${place}`) },
  ];
  const asking = (async () => {
    for (let place = 0; !stopping.signal.aborted; place++) {
      const beginMs = performance.now();
      try {
        await query.getAggregates(questions[place % questions.length]!, { timeoutMs: deadlineMs });
        tookMs.push(performance.now() - beginMs);
      } catch (error) {
        const { code, message } = ConnectError.from(error);
        failures.push({ code, text: `${Math.round(performance.now() - beginMs)} ms: ${message}` });
      }
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    tookMs,
    failures,
    stop() {
      stopping.abort();
      return asking;
    },
  };
}

/** Counts the partials in the topic that the sink has not stored yet, until it is stopped. */
function watchWaitingPartials({ kafka, names }: RealMesh) {
  const stopping = new AbortController();
  const counts = { most: 0, last: 0 };
  const topic = names.topics.windows;
  const watching = (async () => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      while (!stopping.signal.aborted) {
        const [ends, [group]] = await Promise.all([
          admin.fetchTopicOffsets(topic),
          admin.fetchOffsets({ groupId: connectorGroup(names.connectors.windows), topics: [topic] }),
        ]);
        const stored = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
        counts.last = ends.reduce(
          (sum, { partition, high, low }) =>
            sum + Number(high) - Math.max(stored.get(partition) ?? 0, Number(low)),
          0,
        );
        counts.most = Math.max(counts.most, counts.last);
        await delay(1000, undefined, { signal: stopping.signal }).catch(() => {});
      }
    } finally {
      await admin.disconnect();
    }
  })();
  return {
    get most() {
      return counts.most;
    },
    get last() {
      return counts.last;
    },
    stop() {
      stopping.abort();
      return watching;
    },
  };
}
