import { Code, ConnectError } from "@connectrpc/connect";
import {
  GetAggregatesRequestSchema,
  ListBucketsRequestSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contractJsonOf } from "./json-requests.ts";

/** Returns the message of the rejection, with its field; undefined if the request is decoded. */
function refusalOf(schema: Parameters<typeof contractJsonOf>[0], request: unknown): string | undefined {
  try {
    contractJsonOf(schema).textDecoder.decode(new TextEncoder().encode(JSON.stringify(request)));
    return undefined;
  } catch (error) {
    const { rawMessage, code, details } = ConnectError.from(error);
    expect([code, details]).toMatchObject([Code.InvalidArgument, [{ type: "google.rpc.BadRequest" }]]);
    return rawMessage;
  }
}

const pad = (number: number, digits: number) => `${number}`.padStart(digits, "0");
const refusesSince = (since: unknown) => refusalOf(GetAggregatesRequestSchema, { since }) !== undefined;

describe("times in JSON", () => {
  it("are accepted if the calendar has them, with any offset and up to nine digits", () => {
    const instants = fc.record({
      // 0001-01-01 to 9999-12-31.
      day: fc.integer({ min: -719_162, max: 2_932_896 }),
      ms: fc.nat(86_399_999),
      digits: fc.constantFrom("", ".1", ".123456789"),
      zone: fc.constantFrom("Z", "+00:00", "-23:59", "+05:30"),
    });
    fc.assert(
      fc.property(instants, ({ day, ms, digits, zone }) => {
        const iso = new Date(day * 86_400_000 + ms).toISOString();
        expect(refusesSince(`${iso.slice(0, 19)}${digits}${zone}`)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it("are rejected if the calendar does not have them", () => {
    const parts = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.nat(13), fc.nat(32), fc.nat(24), fc.nat(60));
    fc.assert(
      fc.property(parts, ([year, month, day, hour, minute]) => {
        const daysOf = [31, year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28];
        daysOf.push(31, 30, 31, 30, 31, 31, 30, 31, 30, 31);
        const exists =
          month >= 1 &&
          month <= 12 &&
          day >= 1 &&
          day <= (daysOf[month - 1] ?? 0) &&
          hour < 24 &&
          minute < 60;
        const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
        expect(refusesSince(`${date}T${pad(hour, 2)}:${pad(minute, 2)}:00Z`)).toBe(!exists);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    "2026-02-30T12:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T12:00:60Z",
    "2026-01-01T12:00:00",
    "2026-01-01T12:00:00+24:00",
    "2026-01-01",
    "0000-01-01T00:00:00Z",
    "yesterday",
    1_767_268_800,
    {},
  ])("%j is rejected with the field and the right form", (since) => {
    expect(refusalOf(GetAggregatesRequestSchema, { since })).toMatch(/^since: .*2026-01-31T12:00:00Z/);
  });
});

describe("durations in JSON", () => {
  it.each([
    ["1h", '"3600s" for "1h"'],
    ["10m", '"600s" for "10m"'],
    ["1.5d", '"129600s" for "1.5d"'],
    ["250ms", '"0.25s" for "250ms"'],
    ["1s and more", '"3600s"'],
    ["PT1H", '"3600s"'],
    ["1.0000000001s", '"3600s"'],
    ["315576000001s", '"3600s"'],
    [10, '"3600s"'],
  ])("%j is rejected with the right form", (bucket, form) => {
    const refusal = refusalOf(ListBucketsRequestSchema, { bucket });
    expect(refusal).toMatch(/^bucket: /);
    expect(refusal).toContain(form);
  });

  it.each(["10s", "0.5s", "-3s", "3600.000000001s", null])("%j is accepted", (bucket) => {
    expect(refusalOf(ListBucketsRequestSchema, { bucket })).toBeUndefined();
  });
});

describe("enums in JSON", () => {
  it("an unknown name is rejected with the valid names, for both names of the field", () => {
    for (const request of [{ groupBy: "SENSOR" }, { group_by: "GROUP_BY_SENSORS" }]) {
      expect(refusalOf(GetAggregatesRequestSchema, request)).toBe(
        "group_by: must be one of GROUP_BY_SERIES, GROUP_BY_SENSOR, GROUP_BY_DEVICE, GROUP_BY_ALL",
      );
    }
    for (const groupBy of ["GROUP_BY_SENSOR", "GROUP_BY_UNSPECIFIED", 2, null]) {
      expect(refusalOf(GetAggregatesRequestSchema, { groupBy })).toBeUndefined();
    }
  });
});
