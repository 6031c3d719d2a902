import { describe, expect, it } from "vitest";
import { tickTexts } from "./ticks.ts";

describe("labels of an axis", () => {
  it("show each tick where it is, with as few decimals as that needs", () => {
    expect(tickTexts([15, 17.5, 20, 22.5])).toEqual(["15.0", "17.5", "20.0", "22.5"]);
    expect(tickTexts([0, 0.25, 0.5])).toEqual(["0.00", "0.25", "0.50"]);
    expect(tickTexts([1000, 1005, 1010])).toEqual(["1,000", "1,005", "1,010"]);
    expect(tickTexts([0.1 + 0.2, 0.4, 0.5])).toEqual(["0.3", "0.4", "0.5"]);
    expect(tickTexts([7])).toEqual(["7"]);
  });
});
