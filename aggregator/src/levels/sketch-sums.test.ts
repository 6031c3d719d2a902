import { addSketchBytes } from "@devicemesh/query";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createSketchSums } from "./sketch-sums.ts";

const additions = fc.array(
  fc.record({
    deviceId: fc.constantFrom("a", "b"),
    windowMs: fc.constantFrom(0, 600_000),
    buckets: fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 6 }),
  }),
  { maxLength: 30 },
);

it("writes every count once, in parts of bounded size", async () => {
  await fc.assert(
    fc.asyncProperty(additions, fc.integer({ min: 1, max: 40 }), async (all, bucketsMax) => {
      type Sums = Map<string, Map<number, number>>;
      const [found, wanted]: [Sums, Sums] = [new Map(), new Map()];
      function of(sums: Sums, window: string): Map<number, number> {
        const sum = sums.get(window) ?? new Map<number, number>();
        sums.set(window, sum);
        return sum;
      }
      let isBounded = true;
      let pieces = 0;
      const sums = createSketchSums({
        bucketsMax,
        async write(parts, isWhole) {
          if (isWhole) expect(found.size).toBe(0);
          else pieces++;
          let size = 0;
          for (const { window, bytes } of parts) {
            const part = new Map<number, number>();
            addSketchBytes(part, bytes);
            size += part.size;
            addSketchBytes(of(found, window), bytes);
          }
          // The last addition may exceed it.
          isBounded &&= size <= bucketsMax + 6;
        },
      });
      for (const { deviceId, windowMs, buckets } of all) {
        await sums.add({ deviceId, sensor: "temperature", windowMs }, (sketch) => {
          for (const bucket of buckets) sketch.set(bucket, (sketch.get(bucket) ?? 0) + 1);
        });
        const sum = of(wanted, `${deviceId}|temperature|${new Date(windowMs).toISOString()}`);
        for (const bucket of buckets) sum.set(bucket, (sum.get(bucket) ?? 0) + 1);
      }
      await sums.end();
      expect(isBounded).toBe(true);
      // What fits is written once, as a whole.
      const size = [...wanted.values()].reduce((sum, { size }) => sum + size, 0);
      if (size <= bucketsMax) expect(pieces).toBe(0);
      expect(found).toEqual(new Map([...wanted].filter(([, sum]) => sum.size > 0)));
    }),
  );
});
