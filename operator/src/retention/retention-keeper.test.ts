import { type KeptSince, nothingDeleted, type Retention } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deletionDelayMs } from "../limits.ts";
import { createRetentionKeeper } from "./retention-keeper.ts";
import type { RetentionStore } from "./retention-store.ts";

const levels = [
  { windowMs: 10_000, segmentMs: 10_000 },
  { windowMs: 600_000, segmentMs: 600_000 },
];
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 10, 24, 12);

type Row = { readonly timeMs: number; readonly arrivedMs: number };

/** A database that checks each deletion, and fails at the call that the test chooses. */
function createWorld() {
  const world = {
    nowMs: startMs,
    frontiersMs: [startMs, startMs] as number[],
    marks: nothingDeleted(levels) as KeptSince,
    announcedMs: Number.NEGATIVE_INFINITY,
    readings: [] as Row[],
    partials: [[], []] as Row[][],
    deleted: [] as Row[],
    story: [] as string[],
    /** This number of calls succeed, then one fails. */
    callsLeft: Number.POSITIVE_INFINITY,
  };
  function did(what: string): void {
    if (world.callsLeft-- === 0) {
      world.callsLeft = Number.POSITIVE_INFINITY;
      throw new Error(`killed at: ${what}`);
    }
    world.story.push(what);
  }
  function remove(rows: Row[], limit: number, isExpired: (row: Row) => boolean): Set<Row> {
    const gone = rows.filter(isExpired).slice(0, limit);
    world.deleted.push(...gone);
    return new Set(gone);
  }
  const store: RetentionStore = {
    async readMarks() {
      did("read");
      return world.marks;
    },
    async raiseMarks(marks) {
      did("raise");
      expect(marks.rawMs).toBeGreaterThanOrEqual(world.marks.rawMs);
      world.marks = marks;
    },
    concludeMarks: async () => world.marks,
    async readFrontiers() {
      did("frontiers");
      return [...world.frontiersMs];
    },
    async deleteReadings({ beforeMs, arrivedBeforeMs, limit }) {
      did("delete readings");
      expect(beforeMs).toBeLessThanOrEqual(world.marks.rawMs);
      expect(beforeMs).toBeLessThan(world.announcedMs);
      const isExpired = ({ timeMs, arrivedMs }: Row) => timeMs < beforeMs && arrivedMs < arrivedBeforeMs;
      const gone = remove(world.readings, limit, isExpired);
      world.readings = world.readings.filter((row) => !gone.has(row));
      return gone.size;
    },
    async deletePartials({ level, beforeMs, segmentBeforeMs, limit }) {
      did(`delete level ${level}`);
      expect(beforeMs).toBeLessThanOrEqual(world.marks.levelsMs[level] as number);
      const isExpired = ({ timeMs, arrivedMs }: Row) => timeMs < beforeMs && arrivedMs < segmentBeforeMs;
      const gone = remove(world.partials[level] as Row[], limit, isExpired);
      world.partials[level] = (world.partials[level] as Row[]).filter((row) => !gone.has(row));
      return gone.size;
    },
  };
  return {
    world,
    advance(ms: number) {
      world.nowMs += ms;
      world.frontiersMs = [world.nowMs, world.nowMs];
    },
    keeperOf: (retention: Retention) =>
      createRetentionKeeper({
        store,
        announce: async (ms) => {
          did("announce");
          world.announcedMs = ms;
        },
        levels,
        retention,
        clock: () => world.nowMs,
      }),
  };
}

const forHours: Retention = { rawMs: 2 * hourMs, levelsMs: [5 * hourMs, undefined] };
const forEver: Retention = { rawMs: undefined, levelsMs: [undefined, undefined] };

describe("the retention keeper", () => {
  it("raises the marks, announces them, waits for the frontier, and only then deletes", async () => {
    const { world, advance, keeperOf } = createWorld();
    world.readings = [{ timeMs: startMs - 4 * hourMs, arrivedMs: startMs - 4 * hourMs }];
    const keeper = keeperOf(forHours);
    await keeper.step();
    expect(world.story).toEqual(["frontiers", "read", "raise", "announce"]);
    expect(world.marks).toEqual({ rawMs: startMs - 3 * hourMs, levelsMs: [startMs - 6 * hourMs, -Infinity] });
    expect(world.announcedMs).toBe(startMs - 2 * hourMs);
    advance(deletionDelayMs - 1);
    await keeper.step();
    expect(world.readings).toHaveLength(1);
    advance(1);
    await keeper.step();
    expect(world.readings).toHaveLength(0);
  });

  it("expires nothing while the frontier does not move, whatever the clock", async () => {
    const { world, keeperOf } = createWorld();
    world.readings = [{ timeMs: startMs - hourMs, arrivedMs: startMs - hourMs }];
    const keeper = keeperOf(forHours);
    for (let day = 0; day < 5; day++) {
      world.nowMs += 24 * hourMs;
      await keeper.step();
    }
    expect(world.marks.rawMs).toBe(startMs - 3 * hourMs);
    expect(world.readings).toHaveLength(1);
  });

  it("keeps data that the next coarser level has not folded", async () => {
    const { world, advance, keeperOf } = createWorld();
    const old = { timeMs: startMs - 10 * hourMs };
    world.readings = [
      { ...old, arrivedMs: startMs - 600_001 },
      // The second level makes its sketches from it.
      { ...old, arrivedMs: startMs - 600_000 },
    ];
    world.partials[0] = [
      { ...old, arrivedMs: startMs - 600_001 },
      { ...old, arrivedMs: startMs - 600_000 },
    ];
    world.frontiersMs = [startMs, startMs - 600_000];
    const keeper = keeperOf(forHours);
    await keeper.step();
    advance(deletionDelayMs);
    await keeper.step();
    expect(world.readings).toEqual([{ ...old, arrivedMs: startMs - 600_000 }]);
    expect(world.partials[0]).toEqual([{ ...old, arrivedMs: startMs - 600_000 }]);
  });

  it("deletes in batches, and reports that there is more", async () => {
    const { world, advance, keeperOf } = createWorld();
    const timeMs = startMs - 10 * hourMs;
    world.readings = Array.from({ length: 41_000 }, () => ({ timeMs, arrivedMs: timeMs }));
    const keeper = keeperOf(forHours);
    await keeper.step();
    advance(deletionDelayMs);
    expect(await keeper.step()).toEqual({ isMoreDue: true });
    expect(world.readings).toHaveLength(1000);
    expect(await keeper.step()).toEqual({ isMoreDue: false });
    expect(world.readings).toHaveLength(0);
  });

  it("announces a mark again periodically, also one that no longer moves", async () => {
    const { world, advance, keeperOf } = createWorld();
    const keeper = keeperOf(forEver);
    await keeper.step();
    await keeper.step();
    advance(600_000);
    await keeper.step();
    expect(world.story.filter((what) => what === "announce")).toHaveLength(2);
    expect(world.announcedMs).toBe(-Infinity);
  });

  it("deletes only data before its marks, killed at any call and restarted with any retention", async () => {
    const retention = fc.constantFrom(forHours, forEver, {
      rawMs: hourMs,
      levelsMs: [hourMs, 3 * hourMs],
    } satisfies Retention);
    const run = fc.record({ retention, callsLeft: fc.nat(8), steps: fc.integer({ min: 1, max: 4 }) });
    let deletions = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 12 }), async (runs) => {
        const { world, advance, keeperOf } = createWorld();
        const stored: Row[] = [];
        for (const { retention: now, callsLeft, steps } of runs) {
          const keeper = keeperOf(now);
          world.callsLeft = callsLeft;
          for (let step = 0; step < steps; step++) {
            const row = { timeMs: world.nowMs - 1000, arrivedMs: world.nowMs };
            stored.push(row);
            world.readings.push(row);
            for (const level of world.partials) level.push(row);
            advance(hourMs);
            try {
              await keeper.step();
            } catch (error) {
              if (!String(error).includes("killed at")) throw error;
              break;
            }
          }
          const { rawMs, levelsMs } = world.marks;
          const named = (fromMs: number) => stored.filter(({ timeMs }) => timeMs >= fromMs);
          expect(world.readings).toEqual(expect.arrayContaining(named(rawMs)));
          for (const [level, mark] of levelsMs.entries()) {
            expect(world.partials[level]).toEqual(expect.arrayContaining(named(mark)));
          }
        }
        deletions += world.deleted.length;
      }),
      { numRuns: 200, endOnFailure: true },
    );
    expect(deletions).toBeGreaterThan(0);
  });
});
