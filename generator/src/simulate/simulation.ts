import type { Clock } from "@devicemesh/client/clock";
import type { ReadingSink } from "@devicemesh/client/delivery/frame-encoder";
import { type FaultPlan, hasFaults } from "../faults/fault-plan.ts";
import { createFaults } from "../faults/faults.ts";
import type { Devices } from "./devices.ts";
import { startSchedule } from "./schedule.ts";
import { createWalk } from "./walk.ts";

/** The parameters of a simulation. */
export type Simulation = {
  readonly devices: Devices;
  readonly intervalMs: number;
  readonly seed: bigint;
  readonly faults: FaultPlan;
};

/** Devices that measure until they are stopped. */
export type RunningSimulation = {
  /** Stops the measurements; delayed readings are passed on at once. Stopping again has no effect. */
  stop(): void;
};

/** Lets the devices measure once an interval, from now on, into the sink. */
export function startSimulation({
  simulation: { devices, intervalMs, seed, faults: plan },
  clock,
  sink,
}: {
  simulation: Simulation;
  clock: Clock;
  sink: ReadingSink;
}): RunningSimulation {
  const { ids, sensorCodes, count } = devices;
  const walk = createWalk({ devices, intervalMs, seed });
  const faults = hasFaults(plan)
    ? createFaults({ plan, seed, deviceCount: count, sink, sensors: devices.sensors })
    : undefined;
  const schedule = startSchedule({
    clock,
    intervalMs,
    deviceCount: count,
    simulate({ first, end, timestampMs }) {
      faults?.release(timestampMs);
      for (let index = first; index < end; index++) {
        const value = walk.next(index);
        if (faults === undefined) sink(ids[index]!, sensorCodes[index]!, timestampMs, value);
        else faults.simulate(index, ids[index]!, sensorCodes[index]!, timestampMs, value);
      }
    },
  });
  return {
    stop() {
      schedule.stop();
      faults?.flush();
    },
  };
}
