import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { findGrpcurl } from "@devicemesh/engines/testing/host-tools";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { expect } from "vitest";
import { patternOf, type ShownCommand, shownCommands } from "../readme-blocks.ts";
import {
  type Credentials,
  type MeshBehindEnvoy,
  makeCertificates,
  startMeshWithIdentity,
  startOpenMesh,
} from "./mesh-behind-envoy-fixture.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The result of a command. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** The aggregates of one device's readings of a sensor, from the mesh. */
export type StoredSeries = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly count: bigint;
  readonly average: number;
};

/** Two meshes, started by `startExampleMeshes`. */
export type ExampleMeshes = AsyncDisposable & {
  readonly plain: MeshBehindEnvoy;
  readonly secure: MeshBehindEnvoy;
  readonly certificates: Credentials;
  /** Returns the command with the local addresses and files. */
  here(command: string): string;
  /** Returns the stored data of devices with this prefix, read without the example. */
  storedIn(where: "plain" | "secure", prefix: string): Promise<StoredSeries[]>;
};

/**
 * For tests: two meshes, each behind Envoy, like in the pages of the examples: one in cleartext at 127.0.0.1:8080, one
 * with TLS at 8443 for users and 8444 for devices, with the files of `npm run certs` in ../../certs. Here they use free
 * ports, which commands receive.
 */
export async function startExampleMeshes(): Promise<ExampleMeshes> {
  await using starting = new AsyncDisposableStack();
  const certificates = starting.adopt(makeCertificates(), (made) => made[Symbol.dispose]());
  const plain = starting.use(await startOpenMesh([]));
  const secure = starting.use(await startMeshWithIdentity(certificates, []));
  const running = starting.move();
  return {
    plain,
    secure,
    certificates,
    here: (command: string) => here(command, { plain, secure, certificates }),
    storedIn: (where: "plain" | "secure", prefix: string) =>
      storedIn(where === "plain" ? plain : secure, where === "plain" ? undefined : certificates, prefix),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** For tests: an example's folder and the commands that its page shows. */
export function readExample(name: string): { readonly folder: string; readonly commands: ShownCommand[] } {
  const folder = join(root, "examples", name);
  return { folder, commands: shownCommands(readFileSync(join(folder, "README.md"), "utf8")) };
}

/**
 * For tests: runs a command of a page in the example's folder and compares its output with the page. A command that
 * begins with `timeout` follows a stream: it is ended as soon as it has printed the expected output.
 */
export async function runShown(command: string, shown: string, folder: string): Promise<void> {
  const pattern = patternOf(shown);
  const isStream = command.startsWith("timeout ");
  // Replaces the shell, so that signals to the process group reach it.
  const child = spawnShell(isStream ? `exec ${command}` : command, folder);
  const output = collect(child);
  if (isStream) {
    child.stdout?.on("data", () => {
      if (pattern.test(output.stdout)) endGroup(child);
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  expect(`${output.stdout}${pattern.test(output.stdout) ? "" : output.stderr}`).toMatch(pattern);
  if (!isStream) expect([code, output.stderr]).toEqual([0, ""]);
}

/** For tests: runs a command to its end. */
export async function runCommand(command: string, folder: string): Promise<Ran> {
  const child = spawnShell(command, folder);
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

/** For tests: a long-running command, until `end` interrupts it like Ctrl-C and returns its exit code. */
export function followCommand(command: string, folder: string) {
  const child = spawnShell(`exec ${command}`, folder);
  const output = collect(child);
  const closed = once(child, "close") as Promise<[number | null]>;
  return {
    output: () => `${output.stdout}${output.stderr}`,
    async end(): Promise<number | null> {
      child.kill("SIGINT");
      return (await closed)[0];
    },
  };
}

function here(
  command: string,
  { plain, secure, certificates }: Pick<ExampleMeshes, "plain" | "secure" | "certificates">,
): string {
  return command
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${plain.envoy.plain.port}`)
    .replaceAll("127.0.0.1:8443", `127.0.0.1:${secure.envoy.public?.port}`)
    .replaceAll("127.0.0.1:8444", `127.0.0.1:${secure.envoy.devices?.port}`)
    .replaceAll("../../certs", certificates.folder);
}

async function storedIn(
  { envoy }: MeshBehindEnvoy,
  certificates: Credentials | undefined,
  prefix: string,
): Promise<StoredSeries[]> {
  const transport = certificates
    ? createGrpcTransport({
        baseUrl: `https://127.0.0.1:${envoy.public?.port}`,
        nodeOptions: { ca: readFileSync(certificates.authority) },
      })
    : createGrpcTransport({ baseUrl: `http://127.0.0.1:${envoy.plain.port}` });
  const headers = certificates && { authorization: `Bearer ${certificates.readerToken}` };
  const { rows } = await createClient(QueryService, transport).getAggregates({}, headers ? { headers } : {});
  return rows
    .filter(({ deviceId }) => deviceId.startsWith(prefix))
    .map(({ deviceId, sensor, count, average }) => ({
      deviceId,
      sensor,
      count,
      average: average ?? Number.NaN,
    }));
}

/** In a separate process group, so that the shell's child processes can be ended with it. */
function spawnShell(command: string, folder: string): ChildProcess {
  const PATH = [dirname(findGrpcurl() ?? ""), join(root, "node_modules/.bin"), process.env.PATH].join(
    delimiter,
  );
  return spawn("sh", ["-c", command], {
    cwd: folder,
    env: { ...process.env, PATH },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  process.kill(-child.pid, "SIGTERM");
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
    });
  }
  return output;
}
