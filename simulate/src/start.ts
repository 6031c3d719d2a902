import { listOf } from "@devicemesh/kit/settings/list-of";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { alignDown } from "@devicemesh/proto";
import { type FaultKind, faultKinds } from "./fleet/fault-plan.ts";
import { stepMs } from "./limits.ts";
import { constantsText, needsText, referenceFleets } from "./model/model-text.ts";
import { reportOf } from "./report/report.ts";
import type { SimulateSettings } from "./settings.ts";
import { type SimulationConfig, simulate } from "./simulation.ts";

/** Runs a simulation, writes its report, and resolves to the exit code: 1 if an answer or a size differs. */
export async function runSimulation(
  settings: SimulateSettings,
  write: (text: string) => void,
): Promise<number> {
  const config = configOf(settings);
  if (settings.model) {
    write(`${modelOf(config)}\n`);
    return 0;
  }
  const simulation = await simulate(config, { onProgress: (line) => write(`${line}\n`) });
  const report = reportOf(simulation);
  write(`\n${report.text}`);
  return report.problems.length === 0 ? 0 : 1;
}

function modelOf(config: SimulationConfig): string {
  const kept = (referenceFleets[0] as (typeof referenceFleets)[number])[1];
  return `${constantsText()}\n\n${needsText([["this fleet", { ...kept, ...config }]])}`;
}

const midnightMs = Date.UTC(2026, 0, 2);

/** Returns the run that the settings describe. @throws SettingsError for an unknown fault, or a part of a device. */
export function configOf(settings: SimulateSettings): SimulationConfig {
  const { hours, interval, hotEvery, hotFactor, late, lateMax, duplicates, questions, ...rest } = settings;
  if (!Number.isInteger(rest.devices))
    throw new SettingsError(`--devices: ${rest.devices} is not a whole number`);
  const lastsMs = alignDown(hours * 3_600_000, 10 * stepMs);
  const sinceMs = midnightMs - alignDown(lastsMs / 3, lastsMs >= 1_800_000 ? 600_000 : 10 * stepMs);
  return {
    seed: rest.seed,
    devices: rest.devices,
    partitions: rest.partitions,
    intervalMs: interval,
    hotEvery,
    hotFactor,
    lateShare: late,
    lateMaxMs: lateMax,
    duplicateShare: duplicates,
    sinceMs,
    toMs: sinceMs + lastsMs,
    faults: faultsOf(settings.faults),
    questionsPerHour: questions,
  };
}

function faultsOf(text: string): readonly FaultKind[] {
  if (text === "all") return faultKinds;
  if (text === "none") return [];
  return listOf(text).map((name) => {
    const kind = faultKinds.find((known) => known === name);
    if (!kind) throw new SettingsError(`--faults: ${name} is not one of ${faultKinds.join(", ")}, all, none`);
    return kind;
  });
}
