import { describe, expect, it } from "vitest";
import { figure, markdownTable, spreadText, targetText } from "./figures.ts";

describe("figure", () => {
  it.each([
    [0, "0"],
    [0.012345, "0.0123"],
    [0.7, "0.700"],
    [1.005, "1.00"],
    [83.53, "83.5"],
    [266.4, "266"],
    [917_213, "917,000"],
  ])("writes %d with three significant digits as %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });
});

describe("spreadText", () => {
  it("prints the median before the ends", () => {
    expect(spreadText({ median: 2, minimum: 1, maximum: 30 })).toBe("2.00 (1.00 – 30.0)");
  });
});

describe("markdownTable", () => {
  it("aligns figures to the right and keeps bars inside their cells", () => {
    expect(markdownTable(["a", "b"], [["x|y", "1"]])).toBe("| a | b |\n| --- | ---: |\n| x\\|y | 1 |");
  });
});

describe("targetText", () => {
  it("states plainly that a target is missed", () => {
    expect(targetText({ text: "at most 1/25", measured: "1/9.0", met: false })).toBe(
      "NOT met: at most 1/25; measured 1/9.0",
    );
    expect(targetText({ text: "at most 1/25", measured: "1/31", met: true })).toMatch(/^met: /);
  });
});
