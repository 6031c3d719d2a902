import type { ProtoTimestamp } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startTestQuery, temperature, testNowMs } from "../../testing/query-fixture.ts";
import { allTime } from "../plan/planner.ts";
import { timeframeOf } from "./read-timeframe.ts";

const timestamps: fc.Arbitrary<ProtoTimestamp> = fc.record({
  // Years 1 to 9999, often close to the bounds of all time and to 1970.
  seconds: fc.oneof(
    fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
    fc
      .tuple(
        fc.constantFrom(-62_135_596_800n, -1n, 0n, 946_684_800n, 1_795_464_262n),
        fc.bigInt({ min: 0n, max: 2n }),
      )
      .map(([seconds, more]) => seconds + more),
  ),
  nanos: fc.oneof(
    fc.integer({ min: 0, max: 999_999_999 }),
    fc.constantFrom(0, 1, 999_999, 1_000_000, 999_999_999),
  ),
});

describe("a timeframe", () => {
  it("includes a reading if since is its timestamp, and not if to is, whatever the digits", () => {
    fc.assert(
      fc.property(timestamps, (sent) => {
        // Like ingest, which truncates digits below the millisecond towards the past.
        const nanoseconds = sent.seconds * 1_000_000_000n + BigInt(sent.nanos);
        const storedMs = Number(
          (nanoseconds - (((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n,
        );
        if (storedMs < allTime.sinceMs) {
          expect(timeframeOf({ since: sent }).sinceMs).toBe(allTime.sinceMs);
          expect(timeframeOf({ to: sent })).toMatchObject({
            sinceMs: allTime.sinceMs,
            toMs: allTime.sinceMs,
          });
          return;
        }
        expect(timeframeOf({ since: sent }).sinceMs).toBe(storedMs);
        expect(timeframeOf({ to: sent }).toMs).toBe(storedMs);
      }),
      { numRuns: 2000 },
    );
  });

  it("is truncated to milliseconds by every RPC that has bounds", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    // A reading of …22.000456 is stored as …22.000.
    memory.append([temperature("a")]);
    const sent = { seconds: BigInt(testNowMs / 1000), nanos: 456_000 };
    const foundBy = async (bounds: { since?: ProtoTimestamp; to?: ProtoTimestamp }) => [
      (await client.getAggregates(bounds)).rows.length,
      (await client.listBuckets(bounds)).buckets.length,
      (await client.listReadings(bounds)).readings.length,
    ];
    expect(await foundBy({ since: sent })).toEqual([1, 1, 1]);
    expect(await foundBy({ to: sent })).toEqual([0, 0, 0]);
    expect(await foundBy({ since: sent, to: { ...sent, nanos: 1_000_000 } })).toEqual([1, 1, 1]);
    const before1970 = { seconds: -1n, nanos: 999_999_999 };
    expect(await foundBy({ since: before1970 })).toEqual([1, 1, 1]);
    expect(await foundBy({ to: before1970 })).toEqual([0, 0, 0]);
  });
});
