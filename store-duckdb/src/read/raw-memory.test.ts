import { setImmediate as nextIteration } from "node:timers/promises";
import type { ReadingRows } from "@devicemesh/query";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRecentReadings } from "../append/commit-clock.ts";
import type { NumbersQuery } from "./duckdb-readers.ts";
import { blockRowsMax } from "./raw-block.ts";
import { createRawMemory } from "./raw-memory.ts";

const windowMs = 1000;
const endMs = 3 * windowMs;
const signal = new AbortController().signal;

/** A reading; its value identifies it. */
type Row = { readonly series: number; readonly ms: number; readonly value: number };

/** Collects the values within a span. */
function pushTo(found: number[]) {
  return (
    { length, startMs, offsets, values, divisor }: ReadingRows,
    { sinceMs, toMs }: { readonly sinceMs: number; readonly toMs: number },
  ): void => {
    for (let row = 0; row < length; row++) {
      const ms = startMs + (offsets[row] as number);
      if (ms >= sinceMs && ms < toMs) found.push((values[row] as number) / divisor);
    }
  };
}

function columnsOf(rows: readonly Row[]) {
  return {
    length: rows.length,
    series: Int32Array.from(rows, ({ series }) => series),
    timestampsMs: Float64Array.from(rows, ({ ms }) => ms),
    values: Float64Array.from(rows, ({ value }) => value),
  };
}

/** An engine whose statements take their snapshot and deliver it step by step, as the test decides. */
function createSteppedEngine() {
  const stored: Row[] = [];
  const statements: (() => boolean)[] = [];
  return {
    stored,
    /** The next step of the oldest statements; -1 for the newest. */
    step(place: number): void {
      const at = place < 0 ? statements.length - 1 : place % Math.max(statements.length, 1);
      if (statements[at]?.() === true) statements.splice(at, 1);
    },
    get running() {
      return statements.length;
    },
    readers: {
      readNumbers(
        { parameters }: NumbersQuery,
        _: AbortSignal,
        visit: (columns: readonly (Int32Array | Float64Array)[], rows: number) => void,
      ): Promise<void> {
        const { promise, resolve } = Promise.withResolvers<void>();
        let snapshot: Row[] | undefined;
        statements.push(() => {
          if (!snapshot) {
            snapshot = [];
            for (let at = 0; at < parameters.length; at += 2) {
              const [sinceMs, toMs] = [parameters[at] as number, parameters[at + 1] as number];
              snapshot.push(...stored.filter(({ ms }) => ms >= sinceMs && ms < toMs));
            }
            return false;
          }
          const { series, timestampsMs, values, length } = columnsOf(snapshot);
          visit([series, timestampsMs, values], length);
          resolve();
          return true;
        });
        return promise;
      },
    },
  };
}

const offset = fc.nat(endMs - 1);
const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("ask" as const), from: offset, length: fc.nat(1500) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("step" as const), place: fc.integer({ min: -1, max: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("begin" as const),
      at: fc.array(offset, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "store" as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: "end" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "fail" as const }) },
);

/** The memory beside an engine, with the readings that must and may be found. */
function createJudged(bytesMax: number) {
  const engine = createSteppedEngine();
  const commits = createRecentReadings(0);
  const memory = createRawMemory({ readers: engine.readers, commits, windowMs, bytesMax });
  let commit: { readonly rows: readonly Row[]; isStored: boolean } | undefined;
  let known: readonly Row[] = [];
  let values = 0;
  const asked: Promise<void>[] = [];

  async function ask(sinceMs: number, toMs: number): Promise<void> {
    const isIn = ({ ms }: Row): boolean => ms >= sinceMs && ms < toMs;
    const least = known.filter(isIn).map(({ value }) => value);
    const found: number[] = [];
    expect(await memory.read([{ sinceMs, toMs }], pushTo(found), signal)).toBe(true);
    const most = engine.stored.filter(isIn).map(({ value }) => value);
    expect(new Set(found).size).toBe(found.length);
    expect(least.filter((value) => !found.includes(value))).toEqual([]);
    expect(found.filter((value) => !most.includes(value))).toEqual([]);
  }
  return {
    engine,
    commits,
    memory,
    run(step: typeof command extends fc.Arbitrary<infer Each> ? Each : never): void {
      if (step.kind === "ask") asked.push(ask(step.from, step.from + step.length + 1));
      else if (step.kind === "step") engine.step(step.place);
      else if (step.kind === "begin" && !commit) {
        commit = { rows: step.at.map((ms) => ({ series: ms % 3, ms, value: values++ })), isStored: false };
        commits.committing();
      } else if (commit && step.kind === "store" && !commit.isStored) {
        commit.isStored = true;
        engine.stored.push(...commit.rows);
      } else if (commit?.isStored && step.kind === "end") {
        commits.committed(columnsOf(commit.rows), 1);
        known = [...engine.stored];
        commit = undefined;
      } else if (commit && step.kind === "fail") {
        commits.failed(1);
        known = [...engine.stored];
        commit = undefined;
      }
    },
    async settle(): Promise<void> {
      if (commit?.isStored) this.run({ kind: "end" });
      else this.run({ kind: "fail" });
      asked.push(ask(0, endMs));
      while (engine.running > 0) {
        engine.step(0);
        await nextIteration();
      }
      await Promise.all(asked);
    },
  };
}

describe("createRawMemory", () => {
  it.each([
    ["with memory for all", 1e6],
    ["with memory for one or two blocks", 900],
  ])("returns every reading once, however commits and statements overlap: %s", async (_, bytesMax) => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const judged = createJudged(bytesMax);
        for (const each of commands) {
          judged.run(each);
          await nextIteration();
        }
        await judged.settle();
      }),
      { numRuns: 300 },
    );
  });

  it("reads a block once, and adds what is committed later", async () => {
    const { engine, commits, memory } = createJudged(1e6);
    const read = async () => {
      const found: number[] = [];
      const reading = memory.read([{ sinceMs: 200, toMs: 900 }], pushTo(found), signal);
      while (engine.running > 0) {
        engine.step(0);
        await nextIteration();
      }
      await reading;
      return found;
    };
    const row = (ms: number, value: number): Row => ({ series: 1, ms, value });
    engine.stored.push(row(199, 1), row(200, 2), row(899, 3), row(900, 4));
    expect(await read()).toEqual([2, 3]);
    engine.stored.length = 0;
    commits.committing();
    commits.committed(columnsOf([row(500, 5), row(1500, 6)]), 1);
    expect(await read()).toEqual([2, 3, 5]);
    commits.failed(1);
    expect(await read()).toEqual([]);
  });

  it("leaves spans that are too long or have too many readings to the engine", async () => {
    const { engine, memory } = createJudged(1e9);
    const never = () => expect.unreachable("nothing is added");
    expect(await memory.read([{ sinceMs: 0, toMs: 5 * windowMs }], never, signal)).toBe(false);
    expect(engine.running).toBe(0);
    for (let value = 0; value <= blockRowsMax; value++) engine.stored.push({ series: 0, ms: 10, value });
    const reading = memory.read([{ sinceMs: 0, toMs: 20 }], never, signal);
    engine.step(0);
    engine.step(0);
    expect(await reading).toBe(false);
    expect(memory.bytes).toBeLessThan(1000);
  });
});
