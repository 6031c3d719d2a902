import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { identityOf } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { frameOf, startTestIngest, thermostatReading } from "../../../testing/ingest-fixture.ts";
import { testTopic } from "../../../testing/kafka-topic-fixture.ts";
import { batchOf, seriesOf } from "../../../testing/message-log.contract.ts";
import { createKafkaMessageLog } from "./kafka-message-log.ts";

const engines = await testEngines();
const brokerNames = ["kafka-1", "kafka-2", "kafka-3"] as const;

// With fewer brokers an append cannot survive the loss of one.
describe.skipIf(!engines || engines.brokers < 3)("on three brokers", () => {
  const brokers = engines?.kafkaBrokers ?? [];

  async function openLog(limits: { readonly appendTimeoutMs?: number } = {}) {
    const topic = testTopic({ brokers, partitions: 6, replicas: 3 });
    await topic.create();
    const reported: boolean[] = [];
    const log = createKafkaMessageLog({
      brokers,
      topic: topic.topic,
      limits,
      onReachable: (reachable) => reported.push(reachable),
    });
    return {
      topic,
      log,
      reported,
      async [Symbol.asyncDispose]() {
        await log.close();
        await topic.remove();
      },
    };
  }

  it("fails no stream when a broker is killed under load, and has all acknowledged readings", async () => {
    await using opened = await openLog();
    const { log, topic, reported } = opened;
    await using ingest = await startTestIngest({ dependencies: { log } });
    const [sent, acknowledged] = [new Set<string>(), new Set<string>()];
    const failures: unknown[] = [];
    let isKilled = false;
    let acknowledgedSince = 0;

    /** Sends units of 10 frames, one after the other, until some were acknowledged after the kill. */
    async function load(sender: number): Promise<void> {
      for (let unit = 0; failures.length === 0 && acknowledgedSince < 60; unit++) {
        const began = isKilled;
        const readings = Array.from({ length: 200 }, (_, i) =>
          thermostatReading(`sender-${sender}-device-${i % 20}`, unit * 10 + Math.floor(i / 20)),
        );
        const identities = readings.map(({ deviceId, timestamp }) =>
          identityOf({
            deviceId,
            sensor: "temperature",
            timestampMs: Number(timestamp?.seconds) * 1000 + (timestamp?.nanos ?? 0) / 1e6,
          }),
        );
        for (const identity of identities) sent.add(identity);
        const frames = Array.from({ length: 10 }, (_, i) => frameOf(...readings.slice(i * 20, i * 20 + 20)));
        const outcome = await ingest.client.publish(...frames);
        if (outcome.kind === "error") failures.push(outcome.error);
        else for (const identity of identities) acknowledged.add(identity);
        if (began) acknowledgedSince++;
      }
    }

    const loads = Promise.all([1, 2, 3, 4].map(load));
    await waitUntil(() => acknowledged.size > 5000 || failures.length > 0, { timeoutMs: 30_000 });
    await engines?.kill("kafka-2");
    isKilled = true;
    try {
      await loads;
    } finally {
      await engines?.start("kafka-2");
    }
    expect(failures).toEqual([]);
    const stored = new Set((await topic.readAll()).map(identityOf));
    expect([...acknowledged].filter((identity) => !stored.has(identity))).toEqual([]);
    expect([...stored].filter((identity) => !sent.has(identity))).toEqual([]);
    expect(reported).toEqual([true]);
  });

  it("answers UNAVAILABLE, later appends sooner, while all are unavailable, and recovers by itself", async () => {
    const appendTimeoutMs = 3000;
    await using opened = await openLog({ appendTimeoutMs });
    const { log, topic, reported } = opened;
    const before = seriesOf("before", 50);
    await log.append(batchOf(before));
    await Promise.all(brokerNames.map((name) => engines?.kill(name)));
    try {
      const startMs = performance.now();
      await expect(log.append(batchOf(seriesOf("during", 50)))).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringContaining("the message log cannot be reached"),
        details: [{ kind: "retryInfo" }],
      });
      const waitedMs = performance.now() - startMs;
      expect(waitedMs).toBeGreaterThan(appendTimeoutMs - 100);
      await waitUntil(() => reported.at(-1) === false, {
        timeoutMs: 10_000,
        what: "it reports that it is unavailable",
      });
      const againMs = performance.now();
      await expect(log.append(batchOf(seriesOf("sooner", 50)))).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
      expect(performance.now() - againMs).toBeLessThan(waitedMs);
    } finally {
      await Promise.all(brokerNames.map((name) => engines?.start(name)));
    }
    await waitUntil(() => reported.at(-1) === true, {
      timeoutMs: 60_000,
      what: "it reports that it has recovered",
    });
    const after = seriesOf("after", 50);
    await log.append(batchOf(after));
    const stored = new Set((await topic.readAll()).map(identityOf));
    for (const message of [...before, ...after]) expect(stored).toContain(identityOf(message));
  });
});
