import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Setting } from "./setting-schema.ts";
import { defaultValue, formatSetting, parseSetting } from "./setting-values.ts";

const base = { flag: "--a", env: "A", description: "a" } as const;
const duration: Setting = { ...base, kind: "duration" };
const bytes: Setting = { ...base, kind: "bytes" };

const readAs = (setting: Setting, text: string) => {
  const parsed = parseSetting(setting, text);
  return parsed.kind === "value" ? parsed.value : parsed.problem;
};

describe("durations", () => {
  it.each([
    ["0", 0],
    ["500ms", 500],
    ["10s", 10_000],
    ["1.5s", 1500],
    ["2m", 120_000],
    ["3h", 10_800_000],
    ["7d", 604_800_000],
    [" 10 S ", 10_000],
  ])("reads %s as %d ms", (text, value) => {
    expect(readAs(duration, text)).toBe(value);
  });

  it.each(["10", "s", "-1s", "1.5ms", "1e3s", "10 sec", "1s2m", "∞", "99999999999999999d"])(
    "rejects %s",
    (text) => {
      expect(readAs(duration, text)).toContain("is not a duration");
    },
  );
});

describe("sizes", () => {
  it.each([
    ["0", 0],
    ["7B", 7],
    ["512MB", 512_000_000],
    ["1GiB", 1_073_741_824],
    ["1.5kib", 1536],
    ["2tb", 2_000_000_000_000],
  ])("reads %s as %d bytes", (text, value) => {
    expect(readAs(bytes, text)).toBe(value);
  });

  it.each(["512", "MB", "-1MB", "0.5B", "1XB", "9999999TiB"])("rejects %s", (text) => {
    expect(readAs(bytes, text)).toContain("is not a size");
  });
});

describe("parseSetting", () => {
  it.each(["1", "true", "YES", "on"])("reads %s as true", (text) => {
    expect(readAs({ ...base, kind: "boolean" }, text)).toBe(true);
  });

  it.each(["0", "false", "No", "off"])("reads %s as false", (text) => {
    expect(readAs({ ...base, kind: "boolean" }, text)).toBe(false);
  });

  it("keeps the spaces of a text, and reads no word as an unset value", () => {
    expect(readAs({ ...base, kind: "string" }, " a b ")).toBe(" a b ");
    expect(readAs({ ...base, kind: "string" }, "none")).toBe("none");
  });

  it("rejects whole numbers that are not exact", () => {
    expect(readAs({ ...base, kind: "integer" }, "9007199254740991")).toBe(9_007_199_254_740_991);
    expect(readAs({ ...base, kind: "integer" }, "9007199254740993")).toContain("is not a whole number");
  });

  it("shortens a long text in its message", () => {
    expect(String(readAs({ ...base, kind: "integer" }, "x".repeat(10_000))).length).toBeLessThan(200);
  });
});

describe("formatSetting", () => {
  it.each([
    [duration, 0, "0"],
    [duration, 90_000, "90s"],
    [duration, 604_800_000, "7d"],
    [bytes, 512_000_000, "512MB"],
    [bytes, 1_073_741_824, "1GiB"],
    [duration, undefined, "none"],
  ])("writes %o of %s as %s", (setting, value, text) => {
    expect(formatSetting(setting, value)).toBe(text);
  });

  it("formats a value so that parseSetting reads the same value", () => {
    const quantity = fc.oneof(
      fc.nat(),
      fc.nat(100).map((n) => n * 1000),
      fc.nat(100).map((n) => n * 1024 ** 2),
    );
    fc.assert(
      fc.property(fc.constantFrom(duration, bytes), quantity, (setting, value) => {
        expect(readAs(setting, formatSetting(setting, value))).toBe(value);
      }),
    );
  });
});

describe("defaultValue", () => {
  it("reads a default that is written with its unit", () => {
    expect(defaultValue({ ...base, kind: "duration", default: "2m" })).toBe(120_000);
    expect(defaultValue({ ...base, kind: "bytes", default: 5 })).toBe(5);
  });

  it("is false for a boolean and undefined for all others", () => {
    expect(defaultValue({ ...base, kind: "boolean" })).toBe(false);
    expect(defaultValue({ ...base, kind: "string" })).toBeUndefined();
    expect(defaultValue(duration)).toBeUndefined();
  });
});
