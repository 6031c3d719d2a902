import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultKinds, planFaults } from "./fault-plan.ts";
import { createFleet, type FleetConfig } from "./fleet.ts";
import { chooseSamples } from "./samples.ts";

const sinceMs = Date.UTC(2026, 0, 1);
const config: FleetConfig = {
  seed: 1,
  devices: 3000,
  partitions: 16,
  intervalMs: 5000,
  hotEvery: 50,
  hotFactor: 5,
  lateShare: 0.05,
  lateMaxMs: 300_000,
  duplicateShare: 0.05,
  sinceMs,
  toMs: sinceMs + 3_600_000,
};
const plan = planFaults({ ...config, kinds: faultKinds, brokers: 3, sinkTasks: 2 });
const fleet = createFleet(config, plan);

describe("the readings of a device", () => {
  it("are the same whenever they are generated, and its appends are in the run", () => {
    fc.assert(
      fc.property(fc.nat(config.devices - 1), (device) => {
        const appends = (): string[] => {
          const found: string[] = [];
          let [least, most] = [config.toMs, 0];
          fleet.eachAppend(device, (append) => {
            least = Math.min(least, append.appendMs);
            most = Math.max(most, append.appendMs);
            found.push(Object.values(append).join(" "));
          });
          expect(least).toBeGreaterThanOrEqual(sinceMs);
          expect(most).toBeLessThan(config.toMs);
          return found;
        };
        expect(appends()).toEqual(appends());
      }),
      { numRuns: 20 },
    );
  });

  it("are appended a second time later than the first", () => {
    for (const device of [0, 1]) {
      const first = new Map<number, number>();
      fleet.eachAppend(device, ({ reading, copy, appendMs }) => {
        if (copy === 0) first.set(reading, appendMs);
        else expect(appendMs).toBeGreaterThan(first.get(reading) as number);
      });
    }
  });
});

describe("a partition without a leader", () => {
  const outage = plan.faults.find(({ kind }) => kind === "leader") as (typeof plan.faults)[number];

  it("appends nothing until it has one again", () => {
    let [inside, around] = [0, 0];
    for (let device = 0; device < 200; device++) {
      if (fleet.partition(device) % plan.brokers !== outage.place) continue;
      fleet.eachAppend(device, ({ appendMs }) => {
        if (appendMs >= outage.sinceMs && appendMs < outage.toMs) inside++;
        else around++;
      });
    }
    expect(inside).toBe(0);
    expect(around).toBeGreaterThan(1000);
  });
});

it("the samples contain the configured number of ordinary and hot devices of each partition", () => {
  const counts = new Map<string, number>();
  for (const device of chooseSamples(fleet)) {
    const key = `${fleet.partition(device)} ${fleet.isHot(device)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (let partition = 0; partition < config.partitions; partition++) {
    expect(counts.get(`${partition} false`)).toBe(2);
    expect(counts.get(`${partition} true`)).toBe(1);
  }
});
