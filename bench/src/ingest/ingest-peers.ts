import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GrpcLoadSettings } from "../load/grpc-load.ts";
import type { HttpLoadSettings } from "../load/http-load.ts";
import { type Load, startLoad } from "../load/load-process.ts";
import { type ServerProcess, startServerProcess } from "../servers/server-process.ts";
import { startFlags } from "../servers/start-flags.ts";
import { fastapiPython } from "./fastapi-environment.ts";

/** The compared servers. */
export const peerNames = ["fastapi", "node-http", "ours", "ours-late", "ours-steady"] as const;
export type PeerName = (typeof peerNames)[number];

/** Ours: at full speed in order; with all readings late by up to a day; and at a steady rate. */
export const ownNames: readonly PeerName[] = ["ours", "ours-late", "ours-steady"];

/** A peer: its running server, and its load in another process. */
export type Peer = AsyncDisposable & {
  readonly name: PeerName;
  readonly server: ServerProcess;
  readonly load: Load;
};

/** The fleet that all peers serve, and its distribution: for each peer the cheapest one for its server. */
export const fleet = {
  devices: 1000,
  fastapiConnections: 256,
  nodeHttpConnections: 16,
  gateways: 40,
  readingsPerFrame: 100,
  framesPerUnit: 100,
  /** The load of late readings ends after this number of units of each gateway: 1.2 million readings a round. */
  lateUnits: 3,
  steadyReadingsPerSecond: 1_000_000,
} as const;

/** The FastAPI peer's program. Without flags its broker is librdkafka's mock, in its own process. */
export const fastapiApp = fileURLToPath(new URL("../../peers/fastapi/app.py", import.meta.url));

/** Age of the first readings: at full speed their time advances faster than ours, and may not overtake it. */
const startSecondsAgo = 365 * 86_400;

/** Starts a peer and its load. `folder` is for its stored data. */
export async function startPeer(
  name: PeerName,
  options: { readonly cache: string; readonly folder: string; readonly progress: (line: string) => void },
): Promise<Peer> {
  const server = await startServer(name, options);
  try {
    const load = await startLoadOn(name, server.port);
    return {
      name,
      server,
      load,
      async [Symbol.asyncDispose]() {
        load.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function startServer(
  name: PeerName,
  { cache, folder, progress }: { cache: string; folder: string; progress: (line: string) => void },
): Promise<ServerProcess> {
  switch (name) {
    case "fastapi":
      return startServerProcess({
        command: await fastapiPython(cache, progress),
        args: [fastapiApp],
      });
    case "node-http":
      return startServerProcess({ command: process.execPath, args: [pathOf("../../peers/node-http.ts")] });
    case "ours":
    case "ours-late":
    case "ours-steady":
      return startIngestServer(join(folder, name));
  }
}

/** Starts our ingest over a new store in a folder. */
export function startIngestServer(folder: string): Promise<ServerProcess> {
  return startServerProcess({
    command: process.execPath,
    args: [...startFlags, pathOf("../servers/ingest-server.ts"), folder],
    settles: true,
  });
}

/** The output of our server when it ends. */
export type OursStored = {
  readonly storedReadings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly diskBytes: number;
  readonly versions: Readonly<Record<string, string>>;
  /** The failure of a commit or of maintenance, if there was one. */
  readonly failure?: string;
};

/**
 * Ends our server and returns what it has stored.
 * @throws Error if these are not exactly the acknowledged readings.
 */
export async function storedExactly(server: ServerProcess, acknowledged: number): Promise<OursStored> {
  const last = (await server.stop()).at(-1);
  if (last === undefined) throw new Error("our server ended without a word");
  const stored = JSON.parse(last) as OursStored;
  const exact = stored.storedReadings === acknowledged && stored.duplicates + stored.conflicts === 0;
  if (!exact || stored.failure !== undefined) {
    throw new Error(`${acknowledged} readings were acknowledged, but our server reports ${last}`);
  }
  return stored;
}

/** Starts the load on a peer that listens on `port`; `framesPerUnit` is for ours only. */
export function startLoadOn(
  name: PeerName,
  port: number,
  framesPerUnit: number = fleet.framesPerUnit,
): Promise<Load> {
  const startSeconds = Math.floor(Date.now() / 1000) - startSecondsAgo;
  if (ownNames.includes(name)) {
    const { devices, gateways, readingsPerFrame, lateUnits, steadyReadingsPerSecond } = fleet;
    const settings: GrpcLoadSettings = {
      port,
      devices,
      gateways,
      readingsPerFrame,
      framesPerUnit,
      startSeconds,
      ...(name === "ours-late" ? { lateUnits } : {}),
      ...(name === "ours-steady" ? { readingsPerSecond: steadyReadingsPerSecond } : {}),
    };
    return startLoad(new URL("../load/grpc-load.ts", import.meta.url), settings);
  }
  const connections = name === "fastapi" ? fleet.fastapiConnections : fleet.nodeHttpConnections;
  const settings: HttpLoadSettings = { port, devices: fleet.devices, connections, startSeconds };
  return startLoad(new URL("../load/http-load.ts", import.meta.url), settings);
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
