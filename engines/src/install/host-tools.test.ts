import { describe, expect, it } from "vitest";
import { javaMajor, missingText } from "./host-tools.ts";

describe("the version of Java", () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "21" 2023-09-19', 21],
    ['java version "1.8.0_402"', 8],
    ["command not found", undefined],
  ])("in %s is %s", (text, major) => {
    expect(javaMajor(text)).toBe(major);
  });
});

describe("missing tools", () => {
  it("are reported one on each line, with how to install them", () => {
    const text = missingText([
      { tool: "maven", problem: "Maven is missing", remedy: "apt-get install maven" },
      { tool: "python", problem: "Python is missing", remedy: "brew install python" },
    ]);
    expect(text).toBe("Maven is missing: apt-get install maven\nPython is missing: brew install python");
  });
});
