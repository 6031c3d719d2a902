import fc from "fast-check";
import { expect, it } from "vitest";
import { clampConnectTimeout, clampGrpcTimeout, timerMaxMs } from "./timeout-headers.ts";

const unitMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 } as const;
type Unit = keyof typeof unitMs;

function millisecondsOf(value: string): number {
  return Number(value.slice(0, -1)) * unitMs[value.at(-1) as Unit];
}

it("keeps a deadline of gRPC that a timer can keep, and shortens a longer one to the longest", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99_999_999 }),
      fc.constantFrom<Unit>("H", "M", "S", "m", "u", "n"),
      (count, unit) => {
        const value = `${count}${unit}`;
        const clamped = clampGrpcTimeout(value);
        if (millisecondsOf(value) <= timerMaxMs - 1000) expect(clamped).toBe(value);
        expect(millisecondsOf(clamped)).toBeLessThanOrEqual(timerMaxMs);
        expect(millisecondsOf(clamped)).toBeGreaterThan(Math.min(millisecondsOf(value), timerMaxMs) - 1000);
      },
    ),
  );
});

it("does the same with a deadline of Connect, and leaves malformed ones to their protocol", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_999_999_999 }), (ms) => {
      expect(clampConnectTimeout(`${ms}`)).toBe(`${Math.min(ms, timerMaxMs)}`);
    }),
  );
  for (const value of ["", "tomorrow", "-1S", "123456789H", "1 H"])
    expect(clampGrpcTimeout(value)).toBe(value);
  for (const value of ["", "tomorrow", "-1", "12345678901"]) expect(clampConnectTimeout(value)).toBe(value);
});
