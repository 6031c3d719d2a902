import { setTimeout as delay } from "node:timers/promises";
import { compareWithBruteForce, untilFolded } from "../load/compare.ts";
import { type DeviceLoad, startDeviceLoad } from "../load/device-load.ts";
import { type FrontDoor, openFrontDoor } from "../load/front-door.ts";
import { throwIfEnding } from "../machine/shell.ts";
import { recordState } from "../record-state.ts";
import type { Lab } from "../start.ts";
import type { FaultName } from "./fault-names.ts";
import { faults } from "./faults.ts";

/** Number of readings that must be acknowledged before a fault, and again after it. */
const readingsAround = 1500;
const acknowledgedLimitMs = 300_000;
const pollMs = 500;

/**
 * Causes each fault under load; without one, only loads the stack. After each, every acknowledged reading must be in the
 * answers, once, and every answer equal to brute force.
 * @throws Error that names the faults after which something was lost, counted twice or different; the others were caused.
 */
export async function causeFaults(lab: Lab, names: readonly FaultName[]): Promise<void> {
  const frontDoor = openFrontDoor(lab.checkout.folder, lab.nodes.length);
  if (names.length === 0) await underLoad(lab, frontDoor, "load", async () => {});
  const failures: string[] = [];
  for (const name of names) {
    // What comes after a fault that was not survived may fail because of it, or show that it was.
    await underLoad(lab, frontDoor, name, () => faults[name](lab)).catch(async (error: Error) => {
      throwIfEnding(error);
      lab.report(`${name}: FAILED: ${error.message}; ${await recordState(lab, name)} has logs`);
      failures.push(name);
    });
  }
  if (failures.length > 0) throw new Error(`${failures.join(", ")} failed`);
}

async function underLoad(
  lab: Lab,
  frontDoor: FrontDoor,
  name: FaultName | "load",
  cause: () => Promise<void>,
): Promise<void> {
  const {
    report,
    shell: { signal },
  } = lab;
  const queries = lab.nodes.map((_, place) => frontDoor.query(place + 1));
  const load = startDeviceLoad({
    hosts: frontDoor.hosts,
    identity: frontDoor.identity,
    prefix: `demo-${name}-`,
  });
  const startMs = performance.now();
  try {
    await untilAcknowledged(load, readingsAround, signal);
    await cause();
    await untilAcknowledged(load, load.acknowledged() + readingsAround, signal);
    await load.finish();
  } finally {
    load.abort();
  }
  const { stored, asked, differences } = await compareWithBruteForce(queries, load.sent, signal);
  requireEqual(name, { stored, sent: load.sent.length, differences });
  const folded = await untilFolded(queries, load.sent, signal).catch((error: Error) => {
    throwIfEnding(error);
    throw new Error(
      `${stored} readings are stored, ${asked} answers from raw readings equal, but ${error.message}`,
    );
  });
  const again = await compareWithBruteForce(queries, load.sent, signal);
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const byWay = Object.entries(load.acknowledgedBy())
    .map(([way, count]) => `${way} ${count}`)
    .join(", ");
  report(
    `${name}: ${load.sent.length} readings sent, ${load.acknowledged()} acknowledged (${byWay}; ${load.retries()} retries), ${stored} stored, ${asked + again.asked} questions asked, ${again.differences.length} different; ${again.fromWindows} from windows ${folded} s later; ${seconds} s in all`,
  );
  requireEqual(name, { stored, sent: load.sent.length, differences: again.differences });
}

/** @throws Error that names what is lost, counted twice or different. */
function requireEqual(
  name: string,
  found: { readonly stored: number; readonly sent: number; readonly differences: readonly string[] },
): void {
  const { stored, sent, differences } = found;
  if (differences.length === 0 && stored === sent) return;
  throw new Error(`${name}: ${stored} of ${sent} readings are stored; ${differences.slice(0, 5).join("; ")}`);
}

async function untilAcknowledged(load: DeviceLoad, count: number, signal: AbortSignal): Promise<void> {
  let [known, changedMs] = [load.acknowledged(), performance.now()];
  while (load.acknowledged() < count) {
    if (load.acknowledged() !== known) changedMs = performance.now();
    known = load.acknowledged();
    if (performance.now() - changedMs > acknowledgedLimitMs) {
      throw new Error(`${load.acknowledged()} of ${count} readings are acknowledged: the stack accepts none`);
    }
    await delay(pollMs, undefined, { signal });
  }
}
