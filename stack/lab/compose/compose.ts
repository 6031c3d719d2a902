import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse, stringify } from "yaml";
import type { Engine } from "../machine/engine.ts";
import { throwIfEnding } from "../machine/shell.ts";
import { leftOut, openFilesMax } from "../swarm/overlay.ts";

type Compose = { readonly services: Readonly<Record<string, { readonly ulimits?: object }>> };

const pollMs = 2000;
const stillLimitMs = 900_000;

/** The services of compose.yml that the lab can run: not those whose images cannot be had, nor the replica set's job. */
export function composeServices(text: string): readonly string[] {
  const { services } = parse(text) as Compose;
  return Object.keys(services).filter((name) => !leftOut.test(name) && name !== "mongo-init");
}

/** Writes the lab's overlay for Docker Compose into a checkout: what this machine's root may not give. */
export function writeComposeOverlay(checkout: string, text: string): string {
  const { services } = parse(text) as Compose;
  const nofile = { soft: openFilesMax, hard: openFilesMax };
  const lowered = Object.entries(services).flatMap(([name, { ulimits }]) =>
    ulimits === undefined ? [] : [[name, { ulimits: { nofile } }] as const],
  );
  writeFileSync(join(checkout, "lab-compose.yml"), stringify({ services: Object.fromEntries(lowered) }));
  return "lab-compose.yml";
}

/**
 * Resolves with the seconds until every container of the project runs and is healthy, or has ended with 0.
 * @throws Error with the containers that are not, if nothing changes for 15 minutes.
 */
export async function untilComposeHealthy(engine: Engine, report: (line: string) => void): Promise<number> {
  const startMs = performance.now();
  let [shown, changedMs] = ["", startMs];
  for (;;) {
    const rows = await engine
      .docker([
        "ps",
        "--all",
        "--format",
        "{{.Names}} {{.Status}}",
        "--filter",
        "label=com.docker.compose.project",
      ])
      .catch((error: Error) => {
        throwIfEnding(error);
        return error.message;
      });
    const missing = rows
      .trim()
      .split("\n")
      .filter((row) => !/\(healthy\)|Exited \(0\)/.test(row));
    const seconds = Math.round((performance.now() - startMs) / 1000);
    if (missing.length === 0) return seconds;
    const text = missing.map((row) => row.replace(/ (?:About|Up|Exited).*?(?=$|\()/, " ")).join(", ");
    if (text !== shown) {
      report(`  ${seconds} s: waiting for ${text}`);
      changedMs = performance.now();
    }
    shown = text;
    if (performance.now() - changedMs > stillLimitMs)
      throw new Error(`not healthy after ${seconds} s: ${text}`);
    await delay(pollMs);
  }
}
