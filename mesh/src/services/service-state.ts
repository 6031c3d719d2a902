import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  endProcess,
  isRunning,
  type ProcessIdentity,
  processIdentity,
  signalGroup,
} from "@devicemesh/engines/run/process-identity";
import { orphanGraceMs } from "../limits.ts";

/** A service in the state file. */
export type KnownService = {
  readonly name: string;
  readonly process: ProcessIdentity;
  /** host:port, once it listens. */
  readonly address?: string;
  /** host:port of its metrics, once they are served. */
  readonly metrics?: string;
};

/** The services of a data folder, recorded on disk, so that the next process finds the running ones. */
export type ServiceState = {
  read(): readonly KnownService[];
  /** Records a started process; it replaces an earlier one of the same name. */
  started(name: string, processId: number): void;
  /** Records the addresses of a service and of its metrics. */
  listens(name: string, address: string, metrics: string | undefined): void;
  /** Removes all entries, after the services were stopped. */
  clear(): void;
  /** Kills the services recorded by this process, without waiting for their end: for when this process must end now. */
  killStarted(): void;
};

/** The state of the services of a data folder. */
export function createServiceState(folder: string): ServiceState {
  const file = join(folder, "services.json");
  function read(): readonly KnownService[] {
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as KnownService[]) : [];
  }
  function write(services: readonly KnownService[]): void {
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(services, undefined, 2)}\n`);
    renameSync(temporary, file);
  }
  const own = new Map<string, ProcessIdentity>();
  return {
    read,
    started(name, processId) {
      const identity = processIdentity(processId);
      if (identity === undefined) return;
      own.set(name, identity);
      const others = read().filter((service) => service.name !== name);
      write([...others, { name, process: identity }]);
    },
    listens(name, address, metrics) {
      const known = { address, ...(metrics !== undefined && { metrics }) };
      write(read().map((service) => (service.name === name ? { ...service, ...known } : service)));
    },
    clear: () => write([]),
    killStarted() {
      for (const one of own.values()) signalGroup(one, "SIGKILL");
    },
  };
}

/** Ends the services that a killed mesh left running, and returns their names. */
export async function endOrphans(state: ServiceState): Promise<readonly string[]> {
  const orphans = state.read().filter(({ process }) => isRunning(process));
  await Promise.all(orphans.map(({ process }) => endProcess(process, orphanGraceMs)));
  state.clear();
  return orphans.map(({ name }) => name);
}
