import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { PeerMissing, type PeerOptions } from "../peer.ts";

/** The path of an installed program, or undefined: in `folders` first, then on the PATH. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const all = [...folders, ...(process.env.PATH ?? "").split(delimiter)];
  return all.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The folders of PostgreSQL's servers on Debian, newest first. */
export function postgresFolders(): readonly string[] {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, "bin"));
}

/** Builds a program of a Go module into the cache, once. */
export async function goProgram(
  module: string,
  version: string,
  { cache, progress }: Pick<PeerOptions, "cache" | "progress">,
): Promise<string> {
  const folder = join(cache, "go", version);
  const path = join(folder, module.split("/").at(-1)!);
  if (existsSync(path)) return path;
  const go = findProgram("go", ["/usr/local/go/bin"]);
  if (!go) throw new PeerMissing(`Go, to build ${module}`);
  await mkdir(folder, { recursive: true });
  progress(`building ${module} ${version} (once, about a minute) ...`);
  const { status, stderr } = spawnSync(go, ["install", `${module}@${version}`], {
    env: { ...process.env, GOBIN: folder },
    encoding: "utf8",
  });
  if (status !== 0) throw new PeerMissing(`${module} ${version}: ${stderr.trim().split("\n").at(-1)}`);
  return path;
}

/** Downloads an artifact of Maven Central into the cache, once. */
export async function mavenJar(
  group: string,
  artifact: string,
  version: string,
  { cache, progress }: Pick<PeerOptions, "cache" | "progress">,
): Promise<string> {
  const name = `${artifact}-${version}.jar`;
  const path = join(cache, name);
  if (existsSync(path)) return path;
  const mvn = findProgram("mvn");
  if (!mvn) throw new PeerMissing(`Maven, to download ${artifact}`);
  await mkdir(cache, { recursive: true });
  progress(`downloading ${artifact} ${version} (once) ...`);
  const { status, stdout } = spawnSync(
    mvn,
    [
      "-q",
      "-B",
      "dependency:copy",
      `-Dartifact=${group}:${artifact}:${version}`,
      `-DoutputDirectory=${cache}`,
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new PeerMissing(`${artifact} ${version}: ${stdout.trim().split("\n").at(-1)}`);
  return path;
}
