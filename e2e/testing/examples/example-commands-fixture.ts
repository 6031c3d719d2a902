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

/** What a command came to. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** What one device's readings of a sensor add up to, as the mesh answers. */
export type StoredSeries = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly count: bigint;
  readonly average: number;
};

/** Two meshes, as `startExampleMeshes` starts them. */
export type ExampleMeshes = AsyncDisposable & {
  readonly plain: MeshBehindEnvoy;
  readonly secure: MeshBehindEnvoy;
  readonly certificates: Credentials;
  /** The command with the addresses and files as they are here. */
  here(command: string): string;
  /** What is stored of the devices whose ids begin so, asked for without the example. */
  storedIn(where: "plain" | "secure", prefix: string): Promise<StoredSeries[]>;
};

/**
 * For tests: two meshes, each behind Envoy, as the pages of the examples speak of them: one in cleartext at
 * 127.0.0.1:8080, one with TLS at 8443 for people and 8444 for devices, with what `npm run certs` makes in
 * ../../certs. Here they are on free ports, and commands are told so.
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
 * For tests: runs a command of a page in the example's folder and holds its output to what is shown. One that
 * begins with `timeout` follows a stream: it is ended as soon as it has printed that.
 */
export async function runShown(command: string, shown: string, folder: string): Promise<void> {
  const pattern = patternOf(shown);
  const isStream = command.startsWith("timeout ");
  // In the shell's place, so that what is told to the group of processes reaches it.
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

/** For tests: a command that goes on, until `end` interrupts it as Ctrl-C does and gives its exit code. */
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

/** In a group of its own, so that what the shell starts can be ended with it. */
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
