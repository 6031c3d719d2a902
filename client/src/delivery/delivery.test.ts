import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startFakeIngest, type UnitFate } from "../../testing/fake-ingest.ts";
import { systemClock } from "../clock.ts";
import { createOutbox } from "../outbox/outbox.ts";
import { createRandom } from "../random.ts";
import { createIngestClient } from "./ingest-client.ts";

const startMs = Date.UTC(2026, 0, 1);
const identity = (index: number) => `device|temperature|${new Date(startMs + index).toISOString()}`;

function outboxTo(target: string) {
  return createOutbox({
    sender: createIngestClient({ target, clock: systemClock }),
    clock: systemClock,
    random: createRandom(1n, 0),
    whenFull: "wait",
    limits: { frameReadings: 20, unitReadings: 100, unitsInFlight: 3, memoryReadings: 1000 },
    backoff: { firstMs: 1, longestMs: 5 },
  });
}

describe("delivery through gRPC", () => {
  it("loses nothing and counts exactly, wherever streams break", async () => {
    const codes = ["UNAVAILABLE", "INTERNAL", "CANCELLED", "DEADLINE_EXCEEDED"] as const;
    const fates: fc.Arbitrary<UnitFate> = fc.oneof(
      fc.constant({ kind: "ack" as const }),
      fc.constant({ kind: "answer-early" as const }),
      fc.record({
        kind: fc.constant("fail" as const),
        when: fc.constantFrom("first-frame" as const, "end" as const),
        stored: fc.boolean(),
        code: fc.constantFrom(...codes),
      }),
    );
    const refused = (index: number) => index % 97 === 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fates, { maxLength: 30 }),
        fc.integer({ min: 1, max: 1500 }),
        async (plan, count) => {
          await using ingest = await startFakeIngest({
            fate: (unit) => plan[unit] ?? { kind: "ack" },
            refuses: ({ timestamp }) =>
              refused(Number(timestamp!.seconds) * 1000 + timestamp!.nanos / 1e6 - startMs),
          });
          const outbox = outboxTo(ingest.target);
          for (let index = 0; index < count; index++) {
            while (!outbox.add("device", 0, startMs + index, 20)) await outbox.capacity();
          }
          await outbox.flush();
          const indexes = Array.from({ length: count }, (_, index) => index);
          const expected = indexes.filter((index) => !refused(index)).map(identity);
          expect(new Set(ingest.stored)).toEqual(new Set(expected));
          expect(outbox.counts()).toMatchObject({
            added: count,
            acked: expected.length,
            refused: count - expected.length,
            dropped: 0,
            pending: 0,
          });
          expect(await outbox.close({ limitMs: 0 })).toEqual({ undelivered: 0 });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("loses nothing when ingest is killed and restarts on the same port", async () => {
    const first = await startFakeIngest();
    const outbox = outboxTo(first.target);
    let next = 0;
    const addMore = async (count: number) => {
      for (const end = next + count; next < end; next++) {
        while (!outbox.add("device", 0, startMs + next, 20)) await outbox.capacity();
      }
    };
    await addMore(500);
    await waitUntil(() => first.stored.length > 0, { what: "a first unit is stored" });
    first.kill();
    await addMore(500);
    await using second = await startFakeIngest({ port: first.port });
    await addMore(500);
    await outbox.flush();
    const expected = Array.from({ length: 1500 }, (_, index) => identity(index));
    expect(new Set([...first.stored, ...second.stored])).toEqual(new Set(expected));
    expect(outbox.counts()).toMatchObject({ acked: 1500, pending: 0, dropped: 0 });
    await outbox.close({ limitMs: 0 });
  });
});
