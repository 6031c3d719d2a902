import { rmSync } from "node:fs";
import { join } from "node:path";
import type { MessageBatch } from "@devicemesh/ingest";
import { mountSmallDisk, putBallast } from "@devicemesh/kit/testing/small-disk-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { appendUntilRejected, countAll, createLoad } from "../testing/full-disk-load.ts";
import { createDiskReserve } from "./admission.ts";
import { openRecoveringStore } from "./recovering-store.ts";

const signal = AbortSignal.timeout(600_000);
const testMs = 300_000;

describe("a file system of 48 MiB", () => {
  it(
    "that fills up: the store rejects readings at the reserve, answers exactly, and continues when there is space",
    async () => {
      using disk = mountSmallDisk(48);
      const ballast = putBallast(disk, 28);
      const failures: string[] = [];
      await using store = await openRecoveringStore({
        folder: join(disk.path, "data"),
        clock: Date.now,
        reserve: createDiskReserve({ folder: disk.path }),
        onFailure: (what, error) => failures.push(`${what}: ${error}`),
      });
      const next = createLoad();
      const first = await appendUntilRejected(store, next);
      expect(first.error).toMatchObject({
        code: "RESOURCE_EXHAUSTED",
        message: expect.stringMatching(/disk full/),
      });
      await store.maintain();
      expect(await countAll(store)).toBe(first.acknowledged);

      rmSync(ballast);
      const second = await appendUntilRejected(store, next);
      expect(second.acknowledged).toBeGreaterThan(0);
      expect(await countAll(store)).toBe(first.acknowledged + second.acknowledged);
      expect(failures).toEqual([]);
    },
    testMs,
  );

  it(
    "that is full to the last byte: nothing acknowledged is lost, and the store recovers without a restart",
    async () => {
      using disk = mountSmallDisk(48);
      const ballast = putBallast(disk, 28);
      const events: string[] = [];
      await using store = await openRecoveringStore({
        folder: join(disk.path, "data"),
        clock: Date.now,
        reserve: createDiskReserve({ folder: disk.path, minFreeBytes: 0 }),
        onRecovery: ({ kind }) => events.push(kind),
      });
      const isOpen = (): Promise<boolean> =>
        store.readings.readHorizon(signal).then(
          () => true,
          () => false,
        );
      const next = createLoad();
      const rejected: MessageBatch[] = [];
      let acknowledged = 0;
      // The engine fails in several places: in the write-ahead log, in checkpoints, in folding. Some failures
      // invalidate its database, which is opened again while the disk is still full.
      while (rejected.length < 10 || !events.includes("reopened")) {
        const filled = await appendUntilRejected(store, next);
        acknowledged += filled.acknowledged;
        rejected.push(filled.batch);
        expect(["RESOURCE_EXHAUSTED", "UNAVAILABLE"]).toContain(filled.error.code);
        await store.maintain().catch(() => {});
        await waitUntil(isOpen, { timeoutMs: 60_000, everyMs: 50, what: "the store is open again" });
      }
      rmSync(ballast);
      expect(await countAll(store)).toBeGreaterThanOrEqual(acknowledged);
      // A sender sends unacknowledged readings again; some of them may have been stored.
      for (const batch of rejected) {
        const isAccepted = (): Promise<boolean> =>
          store.log.append(batch).then(
            () => true,
            () => false,
          );
        await waitUntil(isAccepted, { timeoutMs: 60_000, everyMs: 50, what: "readings are accepted again" });
        acknowledged += batch.length;
      }
      expect(await countAll(store)).toBe(acknowledged);
    },
    testMs,
  );
});
