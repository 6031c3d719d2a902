import { RpcError, type RpcErrorDetail } from "@devicemesh/kit/rpc/rpc-error";
import { type FaultPlan, noFaults } from "../faults/fault-plan.ts";
import { createDevices, type DeviceSensors } from "./devices.ts";
import type { Simulation } from "./simulation.ts";

/** A request for a simulation. */
export type SimulationRequest = {
  /** Number of devices, 1 to 100,000. */
  readonly devices: number;
  /** Interval between two measurements of a device, in milliseconds, 10 ms to 1 day; 1 s by default. */
  readonly intervalMs?: number | undefined;
  /** The seed, 0 to 2^64 - 1; the generator's own by default, which is random at each start. */
  readonly seed?: bigint | undefined;
  /** The faults to simulate; those left out are off. */
  readonly faults?: Partial<FaultPlan> | undefined;
};

/**
 * Completes the request with defaults. The bounds are those of StartGeneratorRequest, checked here again for callers
 * that bypass its validation.
 * @throws RpcError INVALID_ARGUMENT naming every field that is out of bounds.
 */
export function simulationOf(
  request: SimulationRequest,
  defaults: {
    readonly seed: bigint;
    readonly devicePrefix?: string | undefined;
    readonly deviceSensors?: DeviceSensors | undefined;
  },
): Simulation {
  const { devices, intervalMs = 1_000, seed = defaults.seed } = request;
  const faults = faultPlan(request.faults);
  const bounds: [field: string, value: number, minimum: number, maximum: number, words: string][] = [
    ["devices", devices, 1, 100_000, "1 to 100000"],
    ["interval", intervalMs, 10, 86_400_000, "10 ms to 1 day"],
    ["faults.late_rate", faults.lateRate, 0, 1, "0 to 1"],
    ["faults.late_mean", faults.lateMeanMs, 0, Number.MAX_VALUE, "0 or more"],
    ["faults.late_max", faults.lateMaxMs, 0, Number.MAX_VALUE, "0 or more"],
    ["faults.shuffle_span", faults.shuffleSpan, 0, 10_000, "0 to 10000"],
    ["faults.duplicate_rate", faults.duplicateRate, 0, 1, "0 to 1"],
    ["faults.clock_skew_max", faults.clockSkewMaxMs, 0, 43_200_000, "0 to 12 hours"],
    ["faults.offline_rate", faults.offlineRate, 0, 1, "0 to 1"],
    ["faults.offline_mean", faults.offlineMeanMs, 0, Number.MAX_VALUE, "0 or more"],
    ["faults.invalid_rate", faults.invalidRate, 0, 1, "0 to 1"],
  ];
  const violations = bounds
    .filter(([, value, minimum, maximum]) => !(value >= minimum && value <= maximum))
    .map(([field, , , , words]) => ({ field, description: `must be ${words}`, reason: "OUT_OF_RANGE" }));
  if (!Number.isInteger(devices) && violations[0]?.field !== "devices") {
    violations.unshift({ field: "devices", description: "must be a whole number", reason: "OUT_OF_RANGE" });
  }
  if (violations.length > 0) {
    const message = violations.map(({ field, description }) => `${field} ${description}`).join("; ");
    const details: RpcErrorDetail[] = [{ kind: "badRequest", violations }];
    throw new RpcError({ code: "INVALID_ARGUMENT", message, details });
  }
  return {
    devices: createDevices(devices, defaults.devicePrefix, defaults.deviceSensors),
    intervalMs,
    seed,
    faults,
  };
}

// Lists each rate: callers may pass objects with more fields.
function faultPlan(given: Partial<FaultPlan> = {}): FaultPlan {
  const names = Object.keys(noFaults) as (keyof FaultPlan)[];
  const plan = { ...noFaults };
  for (const name of names) Object.assign(plan, { [name]: given[name] ?? noFaults[name] });
  return plan;
}
