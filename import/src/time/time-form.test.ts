import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inferTimeForm } from "./infer-time-form.ts";
import { createTimeReader, type TimeForm, timeForms } from "./time-form.ts";

const yearFirst: TimeForm = { kind: "year-first" };
const read = (form: TimeForm, text: string) => createTimeReader(form).read(text);

describe("createTimeReader", () => {
  it.each<[TimeForm, string, string, boolean]>([
    [yearFirst, "2025-03-29T20:04:22.123456Z", "2025-03-29T20:04:22.123Z", false],
    [yearFirst, "2025-03-29 20:04", "2025-03-29T20:04:00.000Z", true],
    [yearFirst, "2025-03-29 20:04:22+01:00", "2025-03-29T19:04:22.000Z", false],
    [yearFirst, "2025-03-29 20:04:22.5 -0330", "2025-03-29T23:34:22.500Z", false],
    [yearFirst, "2025-03-29 20:04:22,5", "2025-03-29T20:04:22.500Z", true],
    [yearFirst, "2025/3/9 8:04:22 PM", "2025-03-09T20:04:22.000Z", true],
    [yearFirst, "20250329T200422Z", "2025-03-29T20:04:22.000Z", false],
    [yearFirst, "20250329200422", "2025-03-29T20:04:22.000Z", true],
    [yearFirst, "2025-03-29 20:04:22 UTC", "2025-03-29T20:04:22.000Z", false],
    [yearFirst, "2025-03-29 20:04:22 +0100 UTC", "2025-03-29T19:04:22.000Z", false],
    [yearFirst, "2025-03-29T24:00:00Z", "2025-03-30T00:00:00.000Z", false],
    [{ kind: "numeric", order: "day-month" }, "29.12.2025 08:00", "2025-12-29T08:00:00.000Z", true],
    [{ kind: "numeric", order: "month-day" }, "5/10/2025 12:00:11 AM", "2025-05-10T00:00:11.000Z", true],
    [{ kind: "numeric", order: "month-day" }, "5/10/25, 12:00 PM", "2025-05-10T12:00:00.000Z", true],
    [{ kind: "numeric", order: "year-month" }, "25-03-29 08:00", "2025-03-29T08:00:00.000Z", true],
    [{ kind: "named-month" }, "29 Mar 2025 20:04:22", "2025-03-29T20:04:22.000Z", true],
    [{ kind: "named-month" }, "March 29, 2025 8:04 PM", "2025-03-29T20:04:00.000Z", true],
    [{ kind: "named-month" }, "Sat, 29 Mar 2025 20:04:22 +0100", "2025-03-29T19:04:22.000Z", false],
    [{ kind: "named-month" }, "Sat, 29 Mar 2025 20:04:22 GMT", "2025-03-29T20:04:22.000Z", false],
    [{ kind: "epoch", unit: "s" }, "1743278662.1239", "2025-03-29T20:04:22.123Z", false],
    [{ kind: "epoch", unit: "ms" }, "1743278662123", "2025-03-29T20:04:22.123Z", false],
    [{ kind: "epoch", unit: "ns" }, "1743278662123999999", "2025-03-29T20:04:22.123Z", false],
    [{ kind: "spreadsheet-days" }, "45745.5", "2025-03-29T12:00:00.000Z", true],
  ])("reads %o: %s", (form, text, iso, isLocal) => {
    const reader = createTimeReader(form);
    const ms = reader.read(text);
    expect(Number.isNaN(ms) ? "none" : new Date(ms).toISOString()).toBe(iso);
    expect(reader.isLocal()).toBe(isLocal);
  });

  it.each<[TimeForm, string]>([
    [yearFirst, "2025-02-30 20:04"],
    [yearFirst, "2025-13-01"],
    [yearFirst, "2025-03-29 25:00"],
    [yearFirst, "2025-03-29 20:60"],
    [yearFirst, "2025-03-29 13:00 PM"],
    [yearFirst, "2025-03-29 20:04:22 CEST"],
    [yearFirst, "2025-03-29x20:04"],
    [yearFirst, "2025-03-29 20:04 tomorrow"],
    [yearFirst, "20"],
    [yearFirst, "978307200000"],
    [{ kind: "numeric", order: "month-day" }, "29.12.2025"],
    [{ kind: "epoch", unit: "s" }, "1743278662123"],
    [{ kind: "epoch", unit: "s" }, "-1743278662"],
    [{ kind: "named-month" }, "29 Foo 2025"],
    [{ kind: "named-month" }, "29 Marble 2025"],
  ])("rejects %o: %s", (form, text) => {
    expect(read(form, text)).toBeNaN();
  });

  it("does not reuse the previous day for a longer number", () => {
    const reader = createTimeReader({ kind: "numeric", order: "month-day" });
    expect(new Date(reader.read("1/1/25 10:00")).toISOString()).toBe("2025-01-01T10:00:00.000Z");
    expect(new Date(reader.read("1/1/2599 10:00")).toISOString()).toBe("2599-01-01T10:00:00.000Z");
    expect(new Date(reader.read("1/1/25 10:00")).toISOString()).toBe("2025-01-01T10:00:00.000Z");
  });

  it("reads every instant, whatever was read before", () => {
    const reader = createTimeReader(yearFirst);
    const instants = fc.date({
      min: new Date("2000-01-01"),
      max: new Date("2099-12-31"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instants, fc.boolean(), (date, zulu) => {
        const text = zulu ? date.toISOString() : date.toISOString().slice(0, -1).replace("T", " ");
        expect(reader.read(text)).toBe(date.getTime());
        expect(reader.isLocal()).toBe(!zulu);
      }),
      { numRuns: 5000 },
    );
  });

  it("never throws, for any text", () => {
    const readers = timeForms.map(createTimeReader);
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9:TZ+\-/. APM]{0,30}$/));
    fc.assert(
      fc.property(texts, (text) => {
        for (const reader of readers) {
          const ms = reader.read(text);
          expect(Number.isNaN(ms) || Number.isInteger(ms)).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe("inferTimeForm", () => {
  it("asks for the order if every sample is ambiguous", () => {
    expect(inferTimeForm(["5/10/2025 11:58:26 AM", "6/10/2025 11:58:26 AM"])).toEqual({
      kind: "ambiguous",
      orders: ["day-month", "month-day"],
      isDate: false,
    });
    expect(inferTimeForm(["05/06/07", "06/07/08"])).toMatchObject({
      kind: "ambiguous",
      orders: ["day-month", "month-day", "year-month"],
      isDate: true,
    });
  });

  it("decides by one sample that excludes an order", () => {
    expect(inferTimeForm(["05/10/2025 10:00", "13/10/2025 10:00"])).toMatchObject({
      kind: "time",
      form: { kind: "numeric", order: "day-month" },
      isLocal: true,
    });
    expect(inferTimeForm(["05/10/2025 10:00"], "month-day")).toMatchObject({ form: { order: "month-day" } });
  });

  it("distinguishes times, dates, times of day and other texts", () => {
    expect(inferTimeForm(["2025-03-29", "2025-03-30"])).toMatchObject({ kind: "date" });
    expect(inferTimeForm(["18:00:00", "6:00 PM"])).toEqual({ kind: "time-of-day" });
    expect(inferTimeForm(["1743278400", "1743278430.5"])).toMatchObject({
      form: { kind: "epoch", unit: "s" },
    });
    // 2001-01-01, and not the 20th of July 9783.
    expect(inferTimeForm(["978307200000"])).toMatchObject({ form: { kind: "epoch", unit: "ms" } });
    expect(
      inferTimeForm([
        "2025-03-29T20:00Z",
        "",
        "x",
        "2025-03-29T20:00Z",
        "2025-03-29T20:00Z",
        "2025-03-29T20:00Z",
      ]),
    ).toMatchObject({ kind: "time", isLocal: false });
    for (const other of [[], [""], ["18.5", "21.5"], ["a"], ["2025"], ["1,5"]])
      expect(inferTimeForm(other)).toEqual({ kind: "none" });
  });
});
