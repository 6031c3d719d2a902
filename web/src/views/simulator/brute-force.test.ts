import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bruteForce, isSameAnswer, randomQuestions } from "./brute-force.ts";

const readings = fc.array(
  fc.record({
    deviceId: fc.constantFrom("a", "b", "c"),
    sensor: fc.constantFrom("s", "t"),
    atMs: fc.integer({ min: 0, max: 1000 }),
    value: fc.double({ min: -100, max: 100, noNaN: true }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe("the comparison with brute force in the browser", () => {
  it("queries existing series within the span", () => {
    fc.assert(
      fc.property(
        readings,
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (some, stream) => {
          const random = () => stream.next().value as number;
          for (const question of randomQuestions(some, { sinceMs: 0, toMs: 1001 }, { count: 5, random })) {
            expect(question.deviceIds.length).toBeGreaterThan(0);
            expect(some.some(({ sensor }) => sensor === question.sensor)).toBe(true);
            expect(question.sinceMs).toBeLessThan(question.toMs);
          }
        },
      ),
    );
  });

  it("detects every difference of a figure", () => {
    fc.assert(
      fc.property(readings, (some) => {
        const answer = bruteForce(some, {
          deviceIds: ["a", "b", "c"],
          sensor: some[0]?.sensor ?? "",
          sinceMs: 0,
          toMs: 1001,
        });
        expect(isSameAnswer(answer, answer)).toBe(true);
        for (const name of ["count", "average", "minimum", "maximum", "firstMs", "lastMs"] as const)
          expect(isSameAnswer(answer, { ...answer, [name]: (answer[name] ?? 0) + 1e-6 })).toBe(false);
      }),
    );
    expect(isSameAnswer({ count: 0 }, { count: 0 })).toBe(true);
    expect(isSameAnswer({ count: 0 }, { count: 1, average: 1 })).toBe(false);
  });
});
