import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createFakeTopic } from "../../../testing/fake-topic.ts";
import { batchOf } from "../../../testing/message-log.contract.ts";
import { partitionOf } from "./murmur2.ts";
import { defaultPartitionedLogLimits, type PartitionedLogLimits } from "./partitioned-log-limits.ts";
import { createPartitionedMessageLog } from "./partitioned-message-log.ts";

// The tests wait for time limits of separate logs, so they run at the same time.
const quick = {
  ...defaultPartitionedLogLimits,
  lingerMs: 1,
  resend: { firstMs: 1, longestMs: 5 },
  appendTimeoutMs: 500,
  unavailableTimeoutMs: 5000,
  closeGraceMs: 50,
  watch: { healthyMs: 200, failingMs: 5 },
} satisfies PartitionedLogLimits;

function openLog(limits: Partial<PartitionedLogLimits> = {}, topic: { readonly exists?: boolean } = {}) {
  const fake = createFakeTopic(topic);
  const reported: boolean[] = [];
  const log = createPartitionedMessageLog({
    topic: fake.topic,
    limits: { ...quick, ...limits },
    onReachable: (reachable) => reported.push(reachable),
  });
  return {
    fake,
    log,
    reported,
    async [Symbol.asyncDispose]() {
      fake.release();
      await log.close();
    },
  };
}

const messages = (deviceId: string, count: number): DeviceMessage[] =>
  Array.from({ length: count }, (_, i) => ({ deviceId, timestampMs: i, sensor: "temperature", value: 20 }));
const batch = (deviceId = "a", count = 3) => batchOf(messages(deviceId, count));

const refusal = {
  code: "UNAVAILABLE",
  message: "the fake topic is unavailable; nothing of this unit is acknowledged, send it again",
  details: [{ kind: "retryInfo", retryDelayMs: defaultPartitionedLogLimits.retryDelayMs }],
};

describe.concurrent("an unavailable log", () => {
  it("lets appends wait, and rejects them with UNAVAILABLE and RetryInfo after the time limit", async () => {
    await using test = openLog();
    test.fake.fate = () => "refuse";
    const startMs = performance.now();
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(95);
    expect(test.log.stats()).toMatchObject({ timedOut: 1, readingsInFlight: 0 });
  });

  it("rejects later appends after a shorter time limit, and still tries to send them", async () => {
    await using test = openLog({
      appendTimeoutMs: 2000,
      unavailableTimeoutMs: 300,
      watch: { healthyMs: 60_000, failingMs: 5 },
    });
    test.fake.fate = () => "refuse";
    const firstMs = performance.now();
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    const firstWaitMs = performance.now() - firstMs;
    await waitUntil(() => test.reported.at(-1) === false);
    const tried = test.fake.sends.length;
    const startMs = performance.now();
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    expect(performance.now() - startMs).toBeLessThan(firstWaitMs);
    expect(test.fake.sends.length).toBeGreaterThan(tried);
  });

  it("accepts appends again as soon as it is available, and reports it", async () => {
    await using test = openLog();
    test.fake.fate = () => "refuse";
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    await waitUntil(() => test.reported.at(-1) === false);
    test.fake.fate = () => "store";
    await test.log.append(batch("b"));
    await waitUntil(() => test.reported.at(-1) === true);
    expect(test.log.stats()).toMatchObject({ reachable: true });
    expect(test.reported).toEqual([true, false, true]);
  });

  it("is reported as available again as soon as its state is, without an append", async () => {
    await using test = openLog();
    await waitUntil(() => test.reported.length === 1);
    test.fake.state = undefined;
    await waitUntil(() => test.reported.at(-1) === false, { what: "it is reported as unavailable" });
    test.fake.state = { partitions: 3, leaderless: [] };
    await waitUntil(() => test.reported.at(-1) === true, { what: "it is reported as available" });
  });

  it("stays unavailable while the failed partition has no leader", async () => {
    await using test = openLog({ watch: { healthyMs: 20, failingMs: 5 } });
    test.fake.state = { partitions: 3, leaderless: [partitionOf("a", 3)] };
    test.fake.fate = () => "refuse";
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    await waitUntil(() => test.reported.at(-1) === false);
    const { describes } = test.fake;
    await waitUntil(() => test.fake.describes > describes + 20);
    expect(test.reported.at(-1)).toBe(false);
    test.fake.state = { partitions: 3, leaderless: [] };
    await waitUntil(() => test.reported.at(-1) === true);
  });

  it("stays unavailable while every send fails, even if the topic exists", async () => {
    await using test = openLog({ unavailableTimeoutMs: 50 });
    test.fake.fate = () => "refuse";
    let isOver = false;
    async function append(): Promise<void> {
      while (!isOver) await test.log.append(batch()).catch(() => {});
    }
    const appends = Promise.all([append(), append()]);
    try {
      await waitUntil(() => test.reported.at(-1) === false);
      const { describes } = test.fake;
      await waitUntil(() => test.fake.describes > describes + 20);
      expect(test.reported).toEqual([true, false]);
    } finally {
      isOver = true;
      await appends;
    }
  });

  it("survives an interruption shorter than the time limit", async () => {
    await using test = openLog({ appendTimeoutMs: 5000 });
    test.fake.fate = () => "refuse";
    const append = test.log.append(batch());
    await waitUntil(() => test.log.stats().failedSends > 5);
    test.fake.fate = () => "store";
    await append;
    expect(test.reported).toEqual([true]);
  });

  it("sends nothing of a rejected append if no other rows wait", async () => {
    await using test = openLog();
    test.fake.fate = () => "refuse";
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    const { length } = test.fake.sends;
    test.fake.fate = () => "store";
    await test.log.append(batch("b", 1));
    expect(test.fake.sends.length).toBeLessThanOrEqual(length + 2);
    expect(test.fake.stored.flat().map(({ key }) => String(key))).toEqual([
      "b|temperature|1970-01-01T00:00:00.000Z",
    ]);
  });
});

describe.concurrent("a log with a slow topic", () => {
  it("sends nothing of thousands of appends that timed out while a send took long", async () => {
    await using test = openLog({ appendTimeoutMs: 3000 });
    test.fake.fate = () => "hold";
    const slow = [test.log.append(batch("a"))];
    await waitUntil(() => test.fake.sends.length === 1);
    for (let i = 0; i < 3000; i++) slow.push(test.log.append(batch("a", 1)));
    const outcomes = await Promise.allSettled(slow);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    test.fake.fate = () => "store";
    const later = Array.from({ length: 1500 }, () => test.log.append(batch("a", 1)));
    test.fake.release();
    await Promise.all(later);
    expect(test.fake.stored.flat()).toHaveLength(3 + later.length);
    expect(test.log.stats().readingsInFlight).toBe(0);
  });
});

describe.concurrent("a log whose topic does not exist yet", () => {
  it("lets appends wait for it", async () => {
    await using test = openLog({ appendTimeoutMs: 5000 }, { exists: false });
    const append = test.log.append(batch());
    await waitUntil(() => test.reported.length > 0);
    expect(test.reported).toEqual([false]);
    test.fake.state = { partitions: 3, leaderless: [] };
    await append;
    expect(test.fake.stored.flat()).toHaveLength(3);
    expect(test.reported).toEqual([false, true]);
  });

  it("rejects them after the time limit and names the missing dependency", async () => {
    await using test = openLog({}, { exists: false });
    await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
  });

  it("rejects them at once when it is closed", async () => {
    await using test = openLog({ appendTimeoutMs: 60_000, closeGraceMs: 60_000 }, { exists: false });
    await waitUntil(() => test.reported.length > 0);
    const append = test.log.append(batch());
    const refused = expect(append).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await test.log.close();
    await refused;
  });
});

describe.concurrent("a log whose topic has other partitions than before", () => {
  it("rejects everything, because duplicates could not be recognized any more", async () => {
    await using test = openLog({ appendTimeoutMs: 60_000 });
    await test.log.append(batch());
    test.fake.fate = () => "refuse";
    const held = expect(test.log.append(batch())).rejects.toThrow("had 3 partitions and now has 4");
    test.fake.state = { partitions: 4, leaderless: [] };
    await held;
    await expect(test.log.append(batch())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(test.reported.at(-1)).toBe(false);
  });

  it("accepts appends again, without a restart, when the topic has as many as before", async () => {
    await using test = openLog({ appendTimeoutMs: 5000, watch: { healthyMs: 20, failingMs: 5 } });
    await test.log.append(batch());
    test.fake.state = { partitions: 4, leaderless: [] };
    await waitUntil(() => test.reported.at(-1) === false);
    await expect(test.log.append(batch("b"))).rejects.toThrow("had 3 partitions and now has 4");
    test.fake.state = { partitions: 3, leaderless: [] };
    await waitUntil(() => test.reported.at(-1) === true);
    await test.log.append(batch("b"));
    expect(test.fake.stored.flat()).toHaveLength(6);
    expect(test.log.stats()).toMatchObject({ reachable: true, fault: undefined });
  });
});

describe.concurrent("a fault that has ended", () => {
  it.each(["describe", "send"] as const)("of a %s is not reported to a later caller", async (failing) => {
    await using test = openLog({ appendTimeoutMs: 2000, watch: { healthyMs: 20, failingMs: 5 } });
    await test.log.append(batch());
    if (failing === "describe") test.fake.state = undefined;
    else test.fake.fate = () => "refuse";
    if (failing === "send") await expect(test.log.append(batch())).rejects.toMatchObject(refusal);
    await waitUntil(() => test.log.stats().fault !== undefined);
    test.fake.state = { partitions: 3, leaderless: [] };
    test.fake.fate = () => "store";
    await test.log.append(batch());
    await waitUntil(() => test.log.stats().fault === undefined);
    test.fake.fate = () => "hold";
    await expect(test.log.append(batch())).rejects.toThrow(
      "the message log is too slow; nothing of this unit is acknowledged, send it again",
    );
  });
});

describe.concurrent("closing the log", () => {
  it("finishes appends in progress", async () => {
    await using test = openLog({ closeGraceMs: 5000, appendTimeoutMs: 5000 });
    test.fake.fate = () => "hold";
    const append = test.log.append(batch());
    await waitUntil(() => test.fake.sends.length === 1);
    const closed = test.log.close();
    await expect(test.log.append(batch())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    test.fake.release();
    await append;
    await closed;
    expect(test.fake.closed).toBe(true);
  });

  it("rejects appends that exceed the grace period, also if closed twice", async () => {
    await using test = openLog({ appendTimeoutMs: 60_000 });
    test.fake.fate = () => "hold";
    const append = expect(test.log.append(batch())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await waitUntil(() => test.fake.sends.length === 1);
    const closed = test.log.close();
    expect(test.log.close()).toBe(closed);
    await Promise.all([closed, append]);
    expect(test.log.stats().readingsInFlight).toBe(0);
  });
});
