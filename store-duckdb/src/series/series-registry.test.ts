import { builtInSensors, createSensorCatalog } from "@devicemesh/proto";
import { compareSeries } from "@devicemesh/query/plan/series-order";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeriesOrder } from "./series-order.ts";
import { createSeriesRegistry, type SeriesPlace } from "./series-registry.ts";

const names = builtInSensors.map(({ sensor }) => sensor);
const series = fc.record({
  deviceId: fc.stringMatching(/^[a-c]{1,3}$/),
  sensorCode: fc.nat({ max: builtInSensors.length - 1 }),
});

describe("the registry of series", () => {
  it("pages in the order (device_id, sensor) like a sorted list, with and without sensors, from any place", () => {
    fc.assert(
      fc.property(
        fc.array(series, { maxLength: 60 }),
        fc.subarray(names),
        fc.option(series, { nil: undefined }),
        fc.nat({ max: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (added, wanted, place, limit, savedShare) => {
          const registry = createSeriesRegistry([]);
          for (const { deviceId, sensorCode } of added) registry.codeOf(deviceId, sensorCode);
          registry.markSaved(Math.floor(registry.size * savedShare));
          const stored = Array.from({ length: registry.saved }, (_, code) => registry.get(code));
          const after: SeriesPlace | undefined = place && {
            deviceId: place.deviceId,
            sensor: names[place.sensorCode] as string,
          };
          const matching = stored
            .filter(({ sensor }) => wanted.length === 0 || wanted.includes(sensor))
            .sort(compareSeries);
          const beyond = matching.filter((one) => !after || compareSeries(one, after) > 0);
          expect(registry.page({ sensors: wanted, after, limit })).toEqual(beyond.slice(0, limit));
          expect(registry.count(wanted)).toBe(matching.length);
        },
      ),
    );
  });

  it("compares the devices of any two series by their names", () => {
    const registry = createSeriesRegistry([]);
    for (const deviceId of ["b", "a", "ab"]) for (const sensor of [0, 1]) registry.codeOf(deviceId, sensor);
    for (let code = 0; code < registry.size; code++) {
      for (let other = 0; other < registry.size; other++) {
        const isBefore = registry.get(code).deviceId < registry.get(other).deviceId;
        expect(registry.isDeviceBefore(code, other)).toBe(isBefore);
      }
    }
  });

  it("is the same when it is recreated from the stored series, sorted by the store or not", () => {
    const first = createSeriesRegistry([]);
    for (const deviceId of ["b", "a", "c", "ab"]) first.codeOf(deviceId, 1);
    first.markSaved(4);
    const stored = Array.from({ length: 4 }, (_, code) => ({ ...first.get(code), latestMs: code }));
    const sortedCodes = first.page({ sensors: [], limit: 4 }).map(({ code }) => code);
    for (const again of [createSeriesRegistry(stored), createSeriesRegistry(stored, { sortedCodes })]) {
      expect(again.page({ sensors: [], limit: 4 })).toEqual(first.page({ sensors: [], limit: 4 }));
      expect([again.advance(2, 2), again.advance(2, 3)]).toEqual([false, true]);
    }
  });

  it("keeps stored sensors that the catalog does not have, in their unit", () => {
    const catalog = createSensorCatalog();
    const stored = { code: 0, deviceId: "a", sensor: "mood", latestMs: 5 };
    const registry = createSeriesRegistry([stored], { catalog, unitOf: () => "smiles" });
    expect(registry.get(0)).toEqual({ code: 0, deviceId: "a", sensor: "mood" });
    expect(registry.find("a", "mood")).toBe(0);
    expect(registry.codesOfDevice("a")).toEqual([0]);
    expect([catalog.get("mood")?.unit, catalog.codeOf("mood")]).toEqual(["smiles", catalog.listed]);
    expect(registry.sensorCodes()).toEqual([catalog.listed]);
  });

  it("keeps an order over many blocks, whatever the order of insertion", () => {
    const count = 5000;
    const order = createSeriesOrder((a, b) => a - b, [0]);
    // 1237 and 5000 have no common divisor, so each code occurs once.
    for (let step = 1; step < count; step++) order.add((step * 1237) % count);
    expect([...order.from(() => false)]).toEqual(Array.from({ length: count }, (_, code) => code));
    expect(order.from((code) => code < 4321).next().value).toBe(4321);
  });
});
