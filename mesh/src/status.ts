import { join, resolve } from "node:path";
import { readEnginesStatus } from "@devicemesh/engines";
import { isRunning, residentBytes } from "@devicemesh/engines/run/process-identity";
import { createServiceState } from "./services/service-state.ts";

/** One process of a mesh, for `npm run mesh -- status`. */
export type ProcessRow = {
  readonly name: string;
  /** ready, unready, running, dead or stopped. */
  readonly state: string;
  readonly address: string;
  readonly processId: number | undefined;
  readonly memoryBytes: number | undefined;
  /** The problem; empty if none is known. */
  readonly remark: string;
};

/** Returns the running processes of the mesh of a data folder, whichever process started them. */
export async function readMeshStatus(data: string): Promise<readonly ProcessRow[]> {
  const folder = resolve(data);
  const engines = await readEnginesStatus(join(folder, "engines"));
  const services = createServiceState(folder).read();
  return [
    ...engines.map(({ name, state, address, processId, memoryBytes, reason }) => ({
      name,
      state,
      address,
      processId,
      memoryBytes,
      remark: reason ?? "",
    })),
    ...services.map(({ name, process, address, metrics }) => {
      const runs = isRunning(process);
      return {
        name,
        state: runs ? "running" : "dead",
        address: address ?? "",
        processId: runs ? process.pid : undefined,
        memoryBytes: runs ? residentBytes(process.pid) : undefined,
        remark: metrics === undefined ? "" : `metrics on ${metrics}`,
      };
    }),
  ];
}

/** Formats the status as a table for a terminal. */
export function statusText(data: string, rows: readonly ProcessRow[]): string {
  if (rows.length === 0) return `nothing has run in ${resolve(data)}: npm run mesh starts a mesh there\n`;
  const header = ["NAME", "STATE", "ADDRESS", "PID", "MEMORY", ""];
  const cells = rows.map(({ name, state, address, processId, memoryBytes, remark }) => [
    name,
    state,
    address,
    processId === undefined ? "-" : `${processId}`,
    memoryBytes === undefined ? "-" : `${Math.round(memoryBytes / 1024 / 1024)} MiB`,
    remark,
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...cells]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
    .concat("\n");
}
