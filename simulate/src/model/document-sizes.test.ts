import { defaultLevels } from "@devicemesh/proto";
import { expect, it } from "vitest";
import { takeCensus } from "../fleet/census.ts";
import { planFaults } from "../fleet/fault-plan.ts";
import { createFleet, type FleetConfig } from "../fleet/fleet.ts";
import { predictDocuments } from "./document-sizes.ts";

const sinceMs = Date.UTC(2026, 0, 1, 23, 30);
const usual: FleetConfig = {
  seed: 3,
  devices: 600,
  partitions: 4,
  intervalMs: 10_000,
  hotEvery: 100,
  hotFactor: 10,
  lateShare: 0.02,
  lateMaxMs: 600_000,
  duplicateShare: 0.005,
  sinceMs,
  toMs: sinceMs + 2_700_000,
};

const fleets: readonly [string, Partial<FleetConfig>][] = [
  ["usual", {}],
  ["one reading in several windows", { intervalMs: 45_000 }],
  ["ten readings a window", { intervalMs: 1000, devices: 100 }],
  ["a third late", { lateShare: 0.33 }],
  ["late by up to the whole run", { lateShare: 0.1, lateMaxMs: 3_600_000 }],
  ["many duplicates", { duplicateShare: 0.2 }],
  ["many hot devices", { hotEvery: 3, devices: 200 }],
  ["a run that begins and ends within windows", { sinceMs: sinceMs + 7000, toMs: sinceMs + 2_699_000 }],
];

it.each(fleets)("the predicted sizes of documents equal those of a fleet: %s", (_, change) => {
  const config = { ...usual, ...change };
  const plan = planFaults({ ...config, kinds: [], brokers: 3, sinkTasks: 1 });
  const { documents } = takeCensus(createFleet(config, plan), { levels: defaultLevels });
  const predicted = predictDocuments(config, defaultLevels);
  for (const [level, counted] of documents.entries()) {
    expect(counted).toBeGreaterThan(0);
    expect(Math.abs((predicted[level] as number) / counted - 1)).toBeLessThan(0.02 + 3 / Math.sqrt(counted));
  }
});
