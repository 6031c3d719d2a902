import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createIdentitySet, identitiesMax } from "./identity-set.ts";

const share = createLoopShare();

it("finds every identity that was added, also after it has grown, and hardly any other", async () => {
  const set = createIdentitySet(7);
  const firstMs = Date.UTC(2026, 0, 1);
  const count = 300_000;
  const identity = (index: number) => [index % 1000, firstMs + index * 997] as const;
  await set.reserve(1000, share);
  for (let index = 0; index < 1000; index++) expect(set.add(...identity(index))).toBe(true);
  await set.reserve(count, share);
  for (let index = 1000; index < count; index++) set.add(...identity(index));
  expect(set.isOverflown).toBe(false);
  // At most a few have the hash of another one.
  expect(set.size).toBeGreaterThan(count - 5);
  for (let index = 0; index < count; index++) {
    if (set.add(...identity(index))) throw new Error(`identity ${index} was not found`);
  }
  expect(set.size).toBeLessThanOrEqual(count);
});

it("finds identities of any series and time", () => {
  const identity = fc.tuple(fc.nat(2 ** 20), fc.integer({ min: 0, max: 4_102_444_800_000 }));
  fc.assert(
    fc.property(fc.array(identity, { maxLength: 200 }), fc.nat(), (identities, seed) => {
      const set = createIdentitySet(seed);
      for (const one of identities) set.add(...one);
      for (const one of identities) expect(set.add(...one)).toBe(false);
    }),
    { numRuns: 30 },
  );
});

it("reserves memory for a bounded number of identities only", async () => {
  const set = createIdentitySet();
  expect(await set.reserve(identitiesMax + 1, share)).toBe(false);
});

it("is marked as incomplete once an identity is added without reserved memory", () => {
  const set = createIdentitySet();
  for (let index = 0; !set.isOverflown; index++) set.add(index, 0);
  expect(set.size).toBeLessThan(300_000);
});
