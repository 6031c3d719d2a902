import { describe, expect, it } from "vitest";
import { createSeriesAdmission } from "../admission.ts";
import { createSeriesRegistry } from "./series-registry.ts";

describe("the admission of series", () => {
  it("always admits readings of known series, and new ones up to the limits, naming the exceeded one", () => {
    const registry = createSeriesRegistry([]);
    const admit = createSeriesAdmission(registry, { max: 5, maxPerPublisher: 3 });
    const gateway = "spiffe://devicemesh/gateway/a";
    for (const device of ["a1", "a2", "a3"]) expect(admit(device, 0, gateway)).toBeUndefined();
    expect(admit("a4", 0, gateway)).toMatch(/gateway\/a has begun 3 .*--max-series-per-publisher/);
    expect(admit("a3", 0, gateway)).toBeUndefined();
    // Another publisher is not affected, until the store is full.
    expect(admit("b1", 0)).toBeUndefined();
    expect(admit("b2", 0)).toBeUndefined();
    expect(admit("b3", 0)).toMatch(/the store has 5, .*--max-series\)/);
    expect(admit("b1", 1)).toMatch(/--max-series\)/);
    expect(admit("a1", 0)).toBeUndefined();
    expect(registry.size).toBe(5);
  });
});
