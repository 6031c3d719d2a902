import { fileURLToPath } from "node:url";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import { startFlags } from "./start-flags.ts";

/** Starts the single process over a folder, with this number of simulated devices, each with one reading a second. */
export function startWatchServer(folder: string, devices: number): Promise<ServerProcess> {
  const program = fileURLToPath(new URL("./watch-server.ts", import.meta.url));
  return startServerProcess({
    command: process.execPath,
    args: [...startFlags, program, folder, String(devices)],
  });
}
