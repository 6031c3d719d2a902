import { rmSync } from "node:fs";
import { join } from "node:path";
import { startEngines } from "@devicemesh/engines";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { createKafkaMessageLog } from "@devicemesh/ingest/log/kafka/kafka-message-log";
import { testTopic } from "@devicemesh/ingest/testing/kafka-topic-fixture";
import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { mountSmallDisk, putBallast } from "@devicemesh/kit/testing/small-disk-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { createDiskWatch } from "@devicemesh/operator/disks/disk-watch";
import { readLogDirectories } from "@devicemesh/operator/disks/kafka-broker-disks";
import { type DeviceMessage, identityOf } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";

const engines = await testEngines();
const unitReadings = 2000;
const limitMs = 120_000;

/** The unit of that number; each identity once. */
function unit(number: number): DeviceMessage[] {
  return Array.from({ length: unitReadings }, (_, place) => ({
    deviceId: `full-${place % 50}`,
    sensor: "temperature",
    timestampMs: Date.UTC(2026, 0, 1) + number * unitReadings + place,
    value: place % 40,
  }));
}

describe.skipIf(engines === undefined)("a broker whose disk fills up", () => {
  it("is named before and after, its readings are rejected, and all that was acknowledged is there when it has space", {
    timeout: limitMs * 4,
  }, async () => {
    using disk = mountSmallDisk(192);
    await using broker = await startEngines({
      folder: join(disk.path, "engines"),
      parts: ["kafka"],
      fresh: true,
    });
    const [address = ""] = broker.addresses.kafkaBrokers;
    const topic = testTopic({ brokers: [address], replicas: 1 });
    await topic.create();
    const log = createKafkaMessageLog({
      brokers: [address],
      topic: topic.topic,
      limits: { appendTimeoutMs: 5000 },
    });
    const watch = createDiskWatch({
      readDisks: async (signal) =>
        (await readLogDirectories(address, signal)).map(({ errorCode, totalBytes, usableBytes }) => ({
          name: "of broker 1",
          totalBytes: Number(totalBytes),
          freeBytes: Number(usableBytes),
          hasFailed: errorCode !== 0,
        })),
      everyMs: 0,
    });
    const problem = async () => {
      await watch.observe(performance.now(), AbortSignal.timeout(10_000)).catch(() => {});
      return watch.standing.join();
    };
    const acknowledged: DeviceMessage[] = [];
    let number = 0;
    const append = async () => {
      const messages = unit(number);
      await log.append(batchOf(messages));
      number++;
      acknowledged.push(...messages);
    };
    try {
      await waitUntil(
        () =>
          append().then(
            () => true,
            () => false,
          ),
        { timeoutMs: limitMs, what: "a first unit" },
      );
      expect(await problem()).toBe("");
      const { usableBytes } = (await readLogDirectories(address, AbortSignal.timeout(10_000)))[0]!;
      const ballast = putBallast(disk, Math.floor(Number(usableBytes) / 1024 ** 2) - 8);
      expect(await problem()).toMatch(/^the disk of broker 1 is almost full: \d\.\d MiB of 192\.0 MiB free/);

      let rejection: unknown;
      while (rejection === undefined) {
        await append().catch((error: unknown) => {
          rejection = error;
        });
      }
      expect(rejection).toBeInstanceOf(RpcError);
      expect(rejection).toMatchObject({ code: "UNAVAILABLE", message: expect.stringMatching(/log/) });
      expect(await problem()).toMatch(/almost full|has failed/);

      rmSync(ballast);
      await broker.kill("kafka-1");
      await broker.start("kafka-1");
      await waitUntil(
        () =>
          append().then(
            () => true,
            () => false,
          ),
        {
          timeoutMs: limitMs,
          what: "readings are accepted again",
        },
      );
      await waitUntil(async () => (await problem()) === "", {
        timeoutMs: limitMs,
        what: "no problem is left",
      });
      const stored = new Set((await topic.readAll()).map(identityOf));
      expect(acknowledged.filter((message) => !stored.has(identityOf(message)))).toEqual([]);
    } finally {
      await log.close();
      await topic.remove().catch(() => {});
    }
  });
});
