import { once } from "node:events";
import { join } from "node:path";
import { withFileLock } from "@devicemesh/engines/run/file-lock";
import { causeFaults } from "./faults/cause-faults.ts";
import { chosenFaults } from "./faults/fault-names.ts";
import { removeLeftovers } from "./machine/leftovers.ts";
import { labNetwork } from "./machine/network.ts";
import { inspectMachine } from "./machine/requirements.ts";
import { createShell } from "./machine/shell.ts";
import type { LabConfig } from "./settings.ts";
import { type Lab, startLab } from "./start.ts";

/**
 * Runs the lab until it is stopped, and removes all of it: processes, network namespaces, interfaces, mounts.
 * Resolves with the exit code.
 */
export async function runLab(options: {
  readonly config: LabConfig;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<number> {
  const { config, folder, env } = options;
  const report = (line: string): void => void process.stdout.write(`${line}\n`);
  const fail = (line: string): number => {
    process.stderr.write(`stack:lab: ${line}\n`);
    return 1;
  };
  const path = env.PATH ?? "";
  const machine = inspectMachine(path);
  if (machine.kind === "unfit") return fail(machine.problem);
  const faults = chosenFaults(config.allFaults ? "all" : config.faults);
  if (typeof faults === "string") return fail(faults);
  const isSingle = config.single || config.walk || config.compose;
  if (isSingle && config.registry) return fail("--registry is for three nodes: leave out the other flag");

  const ending = new AbortController();
  const end = (signal: NodeJS.Signals): void => {
    report(`ended by ${signal}`);
    ending.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  const shell = createShell({ signal: ending.signal, logFile: join(folder, "lab.log"), env });
  try {
    return await withFileLock(
      join(folder, "lock"),
      async () => {
        await removeLeftovers(folder);
        if (config.clean) return 0;
        try {
          const npm = (await shell.run(["sh", "-c", "command -v npm"])).trim();
          const lab = await startLab({
            ...{ shell, tools: machine.tools, folder, report, path, npm },
            single: isSingle,
            hasRegistry: config.registry,
            by: config.walk ? "walk" : config.compose ? "compose" : "commands",
            node: process.execPath,
          });
          if (config.walk) return 0;
          await causeFaults(lab, faults);
          if (config.once || config.compose || faults.length > 0) return 0;
          announce(lab, report);
          await untilAborted(ending.signal);
          return 0;
        } finally {
          report("removing engines, namespaces, interfaces and mounts");
          await removeLeftovers(folder);
        }
      },
      { limitMs: 1000 },
    );
  } catch (error) {
    if (ending.signal.aborted) return 130;
    return fail(error instanceof Error ? error.message : String(error));
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, end);
  }
}

/** Resolves when the signal aborts. A handler of signals alone does not keep the process running: a timer does. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  const running = setInterval(() => {}, 60_000);
  try {
    await once(signal, "abort");
  } finally {
    clearInterval(running);
  }
}

function announce({ nodes, checkout }: Lab, report: (line: string) => void): void {
  const certs = `${checkout.folder}/stack/secrets/certs`;
  report(`
The stack is up; Ctrl-C removes it.
  page and RPCs  https://${labNetwork.addressOf(1)}/   (authority ${certs}/ca.pem, token ${certs}/user-reader.jwt)
  devices        ${labNetwork.addressOf(1)}:8444   (certificate ${certs}/gateway-demo.pem)
  docker         DOCKER_HOST=${nodes[0]?.host} docker stack services devicemesh`);
}
