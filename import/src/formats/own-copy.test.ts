import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deviceIds } from "../convert/device-ids.ts";
import { createDeviceNames } from "../convert/device-names.ts";
import { ownCopy } from "./own-copy.ts";
import { createNamesCache } from "./row.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Returns the growth of the heap while `remember` receives a short part of each of 1,000 texts of 64 KiB, in MiB. */
function growthMib(remember: (part: string) => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let text = 0; text < 1000; text++) {
    const whole = Buffer.alloc(64 * 1024, `a long device name ${text} `).toString("latin1");
    remember(whole.slice(0, 24));
  }
  collect();
  return (process.memoryUsage().heapUsed - before) / 1024 ** 2;
}

describe("ownCopy", () => {
  it("returns the same text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => ownCopy(text) === text));
  });

  it("keeps the memory for parts of a file small", () => {
    const deviceOf = createDeviceNames(deviceIds);
    const shared = createNamesCache();
    // The parts alone retain their texts: 62 MiB.
    const parts: string[] = [];
    expect(growthMib((part) => parts.push(part))).toBeGreaterThan(40);
    expect(growthMib((part) => deviceOf(part))).toBeLessThan(10);
    expect(growthMib((part) => shared([part, "value"]))).toBeLessThan(10);
    expect(parts).toHaveLength(1000);
  });
});
