import { sensors } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { valueMax } from "./collection-definitions.ts";

describe("the bounds of stored readings", () => {
  it("contain the range of every sensor of the contract", () => {
    for (const { sensor, minimum, maximum } of sensors) {
      expect(sensor).toMatch(/^[!-{}~]+$/);
      expect(Math.max(-minimum, maximum)).toBeLessThanOrEqual(valueMax);
    }
  });
});
