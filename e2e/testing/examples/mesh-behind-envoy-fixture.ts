import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy } from "@devicemesh/engines/testing/host-tools";
import { type Envoy, type StartEnvoyOptions, startEnvoy } from "@devicemesh/envoy";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { IngestServiceClient } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { type Embedded, embeddedSettings, startEmbedded } from "@devicemesh/standalone";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";

const certsMain = fileURLToPath(new URL("../../../identity/src/certs/main.ts", import.meta.url));
const local = (port: number) => ({ host: "127.0.0.1", port });

/** For tests: the mesh over the embedded store, without simulated devices, and Envoy in front of it. */
export type MeshBehindEnvoy = AsyncDisposable & {
  readonly envoy: Envoy;
  /** The options of that Envoy, to start a replacement. */
  readonly envoyOptions: StartEnvoyOptions;
  readonly mesh: Embedded;
  /** Sends readings of a device through Envoy, and resolves when they are stored. */
  publish(deviceId: string, temperatures: readonly TimedTemperature[]): Promise<void>;
};

export type TimedTemperature = { readonly atMs: number; readonly temperature: number };

/** Starts it without authentication, and Envoy in cleartext. */
export async function startOpenMesh(corsOrigins: readonly string[]): Promise<MeshBehindEnvoy> {
  return startBehindEnvoy([], { corsOrigins }, ({ plain }) => ({
    port: plain.port,
    shown: credentials.createInsecure(),
  }));
}

/**
 * Starts it with the files of `npm run certs` in a folder: users present tokens on the public listener, devices
 * certificates on theirs, and the mesh trusts Envoy's headers.
 */
export async function startMeshWithIdentity(
  { folder }: Credentials,
  corsOrigins: readonly string[],
): Promise<MeshBehindEnvoy> {
  const file = (name: string): string => join(folder, name);
  const server = { ...local(0), certificate: file("server.pem"), key: file("server-key.pem") };
  const read = (name: string): Buffer => readFileSync(file(name));
  const shown = credentials.createSsl(read("ca.pem"), read("gateway-demo-key.pem"), read("gateway-demo.pem"));
  return startBehindEnvoy(
    ["--trust-forwarded-identity", "--deny-list", file("denied.txt")],
    {
      corsOrigins,
      public: server,
      users: { jwksFile: file("jwks.json"), issuer: "devicemesh", audience: "devicemesh" },
      devices: { ...server, authority: file("ca.pem"), trustDomain: "devicemesh" },
    },
    ({ devices }) => ({ port: devices?.port ?? 0, shown }),
  );
}

/** The files of `npm run certs`. */
export type Credentials = Disposable & {
  readonly folder: string;
  /** PEM file of the CA. */
  readonly authority: string;
  /** The token of the read-only user. */
  readonly readerToken: string;
};

/** Runs it with a separate folder. */
export function makeCertificates(): Credentials {
  const folder = temporaryFolder();
  const { status, stderr } = spawnSync(process.execPath, [certsMain, "--out", folder.path], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return {
    folder: folder.path,
    authority: join(folder.path, "ca.pem"),
    readerToken: readFileSync(join(folder.path, "user-reader.jwt"), "utf8").trim(),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

async function startBehindEnvoy(
  flags: readonly string[],
  parts: Partial<StartEnvoyOptions>,
  ingestOf: (envoy: Envoy) => { readonly port: number; readonly shown: ChannelCredentials },
): Promise<MeshBehindEnvoy> {
  const binary = findEnvoy();
  if (binary === undefined) throw new Error("there is no Envoy: npm test installs it with Python 3");
  await using starting = new AsyncDisposableStack();
  const folder = temporaryFolder();
  starting.defer(() => folder[Symbol.dispose]());
  const args = ["--ingest-port", "0", "--query-port", "0", "--data", folder.path, "--no-generator", ...flags];
  const loaded = loadSettings(embeddedSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const mesh = starting.use(await startEmbedded(loaded.values, { logger: silentLogger(), clock: Date.now }));
  const portOf = (address: string) => Number(address.split(":").at(-1));
  const envoyOptions: StartEnvoyOptions = {
    binary,
    drainMs: 0,
    openCallsMs: 0,
    plain: local(0),
    metrics: local(0),
    ingest: [local(portOf(mesh.ingest))],
    query: [local(portOf(mesh.query))],
    generator: [local(portOf(mesh.query))],
    ...parts,
  };
  const envoy = starting.use(await startEnvoy(envoyOptions));
  const { port, shown } = ingestOf(envoy);
  // A name for TLS, because an address is not one.
  const ingest = new IngestServiceClient(`127.0.0.1:${port}`, shown, {
    "grpc.ssl_target_name_override": "localhost",
  });
  starting.defer(() => ingest.close());
  const running = starting.move();
  return {
    envoy,
    envoyOptions,
    mesh,
    publish: (deviceId, temperatures) =>
      sendBatch(
        ingest,
        temperatures.map(({ atMs, temperature }) => ({
          deviceId,
          timestamp: { seconds: BigInt(Math.floor(atMs / 1000)), nanos: (atMs % 1000) * 1_000_000 },
          measurement: { $case: "thermostat", value: { temperature } },
        })),
      ),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function sendBatch(ingest: IngestServiceClient, readings: Reading[]): Promise<void> {
  return new Promise((resolve, reject) => {
    ingest.publishReadingBatch({ readings }, (error, response) => {
      if (error) reject(error);
      else if (response.refused > 0n) reject(new Error(JSON.stringify(response.refusedReadings)));
      else resolve();
    });
  });
}
