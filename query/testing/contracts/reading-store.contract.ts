import { describe, expect, it } from "vitest";
import { describeLiveWindows } from "./live-window.contract.ts";
import { describeDuplicates } from "./reading-store-duplicates.contract.ts";
import {
  calls,
  dayMs,
  expectValidHorizon,
  type ReadingStoreHarness,
  readAll,
  reading,
  signal,
  withStore,
} from "./reading-store-harness.ts";
import { describePartials } from "./reading-store-partials.contract.ts";
import { describeReads } from "./reading-store-reads.contract.ts";
import { describeScans } from "./reading-store-scan.contract.ts";
import { describeSketches } from "./reading-store-sketches.contract.ts";

export { collected, expiringRetention, type ReadingStoreHarness } from "./reading-store-harness.ts";

/**
 * The suite that every ReadingStore must pass. `openExpiring` opens a store with `expiringRetention`, if the adapter can
 * expire.
 */
export function describeReadingStore(
  name: string,
  open: () => Promise<ReadingStoreHarness>,
  options: { readonly openExpiring?: () => Promise<ReadingStoreHarness> } = {},
): void {
  describe(`ReadingStore: ${name}`, () => {
    describeReads(open);
    describeScans(open, options.openExpiring);
    describeDuplicates(open);
    describePartials(open, options.openExpiring);
    describeLiveWindows(open);
    describeSketches(open);

    describe("levels and horizon", () => {
      it(
        "has levels whose windows and segments are multiples of those below",
        withStore(open, async ({ store }) => {
          expect(store.levels.length).toBeGreaterThan(0);
          for (const [place, level] of store.levels.entries()) {
            const below = store.levels[place - 1] ?? level;
            expect([level.windowMs % below.windowMs, level.segmentMs % below.segmentMs]).toEqual([0, 0]);
          }
        }),
      );

      it(
        "has frontiers that are whole segments, never grow towards coarser levels and never go back",
        withStore(open, async (harness) => {
          let before = await harness.store.readHorizon(signal());
          for (const advanceMs of [1, 10_000, 25_000, 600_000, 3_600_000, dayMs, 3 * dayMs]) {
            await harness.publish([reading(harness, "a", -1)]);
            harness.advance(advanceMs);
            await harness.fold();
            const horizon = await harness.store.readHorizon(signal());
            expectValidHorizon(harness.store.levels, horizon);
            for (const [level, frontierMs] of horizon.frontiersMs.entries()) {
              expect(frontierMs).toBeGreaterThanOrEqual(before.frontiersMs[level] as number);
            }
            expect(horizon.completeThroughMs).toBeGreaterThanOrEqual(before.completeThroughMs);
            before = horizon;
          }
          // All levels must have moved by now, or the test proves nothing.
          expect(before.frontiersMs.every((frontierMs) => frontierMs > 0)).toBe(true);
        }),
      );
    });

    describe("readStatus", () => {
      it(
        "counts readings, series, duplicates, conflicts and partials",
        withStore(open, async (harness) => {
          const first = reading(harness, "a", 0, { value: 1 });
          await harness.publish([first, first, { ...first, value: 2 }, reading(harness, "b", 0)]);
          await harness.publish([{ ...first, value: 3 }]);
          harness.advance(2 * dayMs);
          await harness.fold();
          const status = await harness.store.readStatus(signal());
          expect(status).toMatchObject({ storedReadings: 2, series: 2, duplicates: 1, conflicts: 2 });
          expect(status.partialCounts).toEqual(harness.store.levels.map(() => 2));
          expect(status.logEndMs).toBeGreaterThan(0);
          expectValidHorizon(harness.store.levels, status.horizon);
        }),
      );

      it(
        "has no log end before the first message",
        withStore(open, async ({ store }) => {
          const status = await store.readStatus(signal());
          expect(status).toMatchObject({ logEndMs: undefined, storedReadings: 0, series: 0 });
        }),
      );
    });

    describe("signals and closing", () => {
      it(
        "rejects with the reason of a signal that has aborted",
        withStore(open, async ({ store }) => {
          const reason = new Error("the caller disconnected");
          for (const [method, call] of calls(store, AbortSignal.abort(reason))) {
            await expect(call(), method).rejects.toBe(reason);
          }
        }),
      );

      it(
        "is UNAVAILABLE once it is closed",
        withStore(open, async (harness) => {
          await harness.publish([reading(harness, "a", 0)]);
          await harness.close();
          for (const [method, call] of calls(harness.store, signal())) {
            await expect(call(), method).rejects.toMatchObject({ name: "RpcError", code: "UNAVAILABLE" });
          }
        }),
      );
    });

    describe("watchChanges", () => {
      it(
        "yields after readings were stored, also those stored between two yields, and once for many",
        withStore(open, async (harness) => {
          const watch = harness.store.watchChanges(signal())[Symbol.asyncIterator]();
          const first = watch.next();
          await harness.publish([reading(harness, "a", 0)]);
          expect((await first).done).toBe(false);
          await harness.publish([reading(harness, "a", 1)]);
          await harness.publish([reading(harness, "a", 2)]);
          expect((await watch.next()).done).toBe(false);
          const none = Symbol("no change");
          const next = watch.next();
          const settled = await Promise.race([next, readAll(harness, {}).then(() => none)]);
          expect(settled).toBe(none);
          await harness.publish([reading(harness, "a", 3)]);
          expect((await next).done).toBe(false);
          await watch.return?.();
        }),
      );

      it(
        "ends when the signal aborts and when the store closes",
        withStore(open, async (harness) => {
          const caller = new AbortController();
          const aborted = harness.store.watchChanges(caller.signal)[Symbol.asyncIterator]().next();
          const closed = harness.store.watchChanges(signal())[Symbol.asyncIterator]().next();
          caller.abort();
          expect((await aborted).done).toBe(true);
          await harness.close();
          expect((await closed).done).toBe(true);
        }),
      );
    });
  });
}
