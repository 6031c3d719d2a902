import { describe, expect, it } from "vitest";
import { createWatchAdmission } from "./watch-admission.ts";

describe("createWatchAdmission", () => {
  it("names the reached limit, of a caller or in total, until a watch ends", () => {
    const totals: number[] = [];
    const admission = createWatchAdmission({
      watchesMax: 3,
      watchesPerCallerMax: 2,
      onChange: (running) => totals.push(running),
    });
    const first = admission.admit("ann");
    admission.admit("ann");
    expect(() => admission.admit("ann")).toThrow("watches of a caller: ann has 2 open");
    admission.admit("bob");
    expect(() => admission.admit("bob")).toThrow("watches: 3 are open, the most in total");
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    admission.admit("ann");
    expect(() => admission.admit("eve")).toThrow(/^watches: /);
    expect(totals).toEqual([1, 2, 3, 2, 3]);
  });

  it("counts unknown callers in total only", () => {
    const admission = createWatchAdmission({ watchesMax: 3, watchesPerCallerMax: 1 });
    for (let watch = 0; watch < 3; watch++) admission.admit(undefined);
    expect(() => admission.admit(undefined)).toThrow(/^watches: /);
  });
});
