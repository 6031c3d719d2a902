import { type DeviceMessage, identityOf, type Retention } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRead, type Span } from "../../src/plan/planner.ts";
import type { ReadingStore } from "../../src/store/reading-store.ts";
import type { StoreHorizon } from "../../src/store/store-status.ts";

/** A store under test whose retention changes with each restart. */
export type ChangingRetentionHarness = {
  /** The store since the last restart. */
  store(): ReadingStore;
  publish(readings: readonly DeviceMessage[]): Promise<unknown>;
  /** Folds closed segments, moves the retention marks, and deletes data that is due. */
  fold(): Promise<void>;
  advance(ms: number): void;
  nowMs(): number;
  /** Ingest rejects readings with an earlier timestamp. */
  earliestAcceptedMs(): number;
  /** Closes the store and opens it again with another retention. */
  restart(retention: Retention): Promise<void>;
  close(): Promise<void>;
};

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Each is valid; some of them keep some levels forever. */
const retentions: readonly Retention[] = [
  { rawMs: undefined, levelsMs: [undefined, undefined, undefined] },
  { rawMs: 2 * dayMs, levelsMs: [undefined, undefined, undefined] },
  { rawMs: dayMs, levelsMs: [2 * dayMs, 4 * dayMs, undefined] },
  { rawMs: dayMs, levelsMs: [dayMs, dayMs, 3 * dayMs] },
  { rawMs: 5 * dayMs, levelsMs: [6 * dayMs, undefined, undefined] },
  { rawMs: 3 * dayMs, levelsMs: [3 * dayMs, 6 * dayMs, 8 * dayMs] },
];

type Step =
  | { readonly kind: "send"; readonly agesMs: readonly number[]; readonly value: number }
  | { readonly kind: "resend"; readonly places: readonly number[]; readonly value: number | undefined }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "restart"; readonly retention: Retention }
  | { readonly kind: "ask"; readonly ageMs: number; readonly lengthMs: number };

const age = fc.oneof(
  fc.integer({ min: 0, max: 20 * minuteMs }),
  fc.integer({ min: 0, max: 9 * 24 * 60 }).map((minutes) => minutes * minuteMs),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("send" as const),
    agesMs: fc.array(age, { minLength: 1, maxLength: 20 }),
    value: fc.integer({ min: -20, max: 40 }),
  }),
  fc.record({
    kind: fc.constant("resend" as const),
    places: fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }),
    value: fc.option(fc.integer({ min: -20, max: 40 }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("wait" as const),
    ms: fc.constantFrom(15_000, 11 * minuteMs, dayMs, 3 * dayMs),
  }),
  fc.record({ kind: fc.constant("restart" as const), retention: fc.constantFrom(...retentions) }),
  fc.record({
    kind: fc.constant("ask" as const),
    ageMs: age,
    lengthMs: fc.oneof(fc.integer({ min: 1, max: 20 * minuteMs }), fc.integer({ min: 1, max: 9 * dayMs })),
  }),
);

/** Oracle tests over random changes of the retention, restarts, deletions and re-sent readings. */
export function describeChangingRetention(
  name: string,
  open: (retention: Retention) => Promise<ChangingRetentionHarness>,
  { runs }: { readonly runs: number },
): void {
  describe(`${name}, under a retention that changes`, () => {
    it("equals brute force over accepted readings in all that it covers", { timeout: 300_000 }, async () => {
      const seen = { rejected: 0, notCovered: 0, partlyCovered: 0 };
      const steps = fc.array(step, { minLength: 10, maxLength: 25 });
      const property = fc.asyncProperty(fc.constantFrom(...retentions), steps, async (retention, all) => {
        const harness = await open(retention);
        try {
          const runner = createRunner(harness, seen);
          for (const one of all) await runner.run(one);
          await runner.settle();
        } finally {
          await harness.close();
        }
      });
      await fc.assert(property, { numRuns: runs, endOnFailure: true });
      // Otherwise the test would prove nothing.
      expect(seen.rejected).toBeGreaterThan(0);
      expect(seen.notCovered).toBeGreaterThan(0);
      expect(seen.partlyCovered).toBeGreaterThan(0);
    });
  });
}

function createRunner(
  harness: ChangingRetentionHarness,
  seen: { rejected: number; notCovered: number; partlyCovered: number },
) {
  const sent: DeviceMessage[] = [];
  const accepted = new Map<string, DeviceMessage>();
  let marks: readonly number[] = [];

  async function send(messages: readonly DeviceMessage[]): Promise<void> {
    sent.push(...messages);
    const passed = messages.filter(({ timestampMs }) => timestampMs >= harness.earliestAcceptedMs());
    seen.rejected += messages.length - passed.length;
    await harness.publish(passed);
    for (const message of passed) {
      if (!accepted.has(identityOf(message))) accepted.set(identityOf(message), message);
    }
  }

  async function readHorizon(): Promise<StoreHorizon> {
    const horizon = await harness.store().readHorizon(never);
    const now = [horizon.rawKeptSinceMs, ...horizon.levelsKeptSinceMs];
    for (const [place, mark] of marks.entries()) expect(now[place]).toBeGreaterThanOrEqual(mark);
    marks = now;
    return horizon;
  }

  async function ask(timeframe: Span): Promise<void> {
    const horizon = await readHorizon();
    const filter = { deviceIds: ["a"], sensors: [] };
    const store = harness.store();
    const duplicates = await store.readDuplicateWindows({ filter, ...timeframe }, never);
    const { plan, notCovered } = planRead({ ...timeframe, levels: store.levels, horizon, duplicates });
    const { partials } = await store.readPartials({ plan, filter }, never);
    const covered = within(timeframe).filter(
      ({ timestampMs }) =>
        !notCovered.some(({ sinceMs, toMs }) => timestampMs >= sinceMs && timestampMs < toMs),
    );
    expect(totals(partials.map(({ count, sum }) => ({ count, sum })))).toEqual(
      totals(covered.map(({ value }) => ({ count: 1, sum: value }))),
    );
    for (const { toMs } of notCovered) expect(toMs).toBeLessThanOrEqual(Math.max(...marks));
    if (notCovered.length > 0) seen.notCovered++;
    if (notCovered.length > 0 && covered.length > 0) seen.partlyCovered++;
  }

  function within({ sinceMs, toMs }: Span): DeviceMessage[] {
    return [...accepted.values()].filter(({ timestampMs }) => timestampMs >= sinceMs && timestampMs < toMs);
  }

  async function listAll(): Promise<void> {
    const { rawKeptSinceMs: sinceMs } = await readHorizon();
    const span = { sinceMs: Math.max(sinceMs, 0), toMs: harness.nowMs() + dayMs };
    const filter = { deviceIds: [], sensors: [] };
    const listed = await harness
      .store()
      .readReadings({ filter, ...span, descending: false, limit: 1_000_000 }, never);
    expect(listed.map(identityOf)).toEqual(
      within(span)
        .sort((a, b) => a.timestampMs - b.timestampMs)
        .map(identityOf),
    );
  }

  async function foldTwice(): Promise<void> {
    await harness.fold();
    // Longer than deletion waits for answers in progress.
    harness.advance(15 * minuteMs);
    await harness.fold();
    await harness.fold();
  }

  return {
    async run(one: Step): Promise<void> {
      const nowMs = harness.nowMs();
      switch (one.kind) {
        case "send":
          return send(
            one.agesMs.map((ageMs) => ({
              deviceId: "a",
              sensor: "temperature",
              timestampMs: nowMs - ageMs,
              value: one.value,
            })),
          );
        case "resend": {
          if (sent.length === 0) return;
          const again = one.places.map((place) => sent[place % sent.length] as DeviceMessage);
          return send(again.map((message) => ({ ...message, value: one.value ?? message.value })));
        }
        case "wait":
          harness.advance(one.ms);
          return foldTwice();
        case "restart":
          return harness.restart(one.retention);
        case "ask":
          return ask({ sinceMs: nowMs - one.ageMs - one.lengthMs, toMs: nowMs - one.ageMs });
      }
    },
    /** Sends all of it again, and queries everything. */
    async settle(): Promise<void> {
      await send([...sent]);
      await foldTwice();
      await ask({ sinceMs: harness.nowMs() - 100 * dayMs, toMs: harness.nowMs() + dayMs });
      await listAll();
    },
  };
}

const never = new AbortController().signal;

function totals(parts: readonly { readonly count: number; readonly sum: number }[]) {
  return {
    count: parts.reduce((total, { count }) => total + count, 0),
    sum: parts.reduce((total, { sum }) => total + sum, 0),
  };
}
