import { execFileSync } from "node:child_process";
import {
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, posix } from "node:path";
import { type BaseImage, systemLinks, systemMounts } from "./base-images.ts";
import type { BuildContext } from "./build-context.ts";
import type { Step } from "./dockerfile.ts";

/** Makes what is in a base image before anything is done; what is mounted is an empty place only. */
export function makeSystem(root: string, base: BaseImage): void {
  for (const folder of ["usr", "proc", "dev", "etc", "opt", "root", "run", "tmp", "var/lib"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  execFileSync("chmod", ["1777", join(root, "tmp")]);
  for (const [path, target] of systemLinks()) execFileSync("ln", ["-s", target, join(root, path)]);
  for (const { host, inside } of [...systemMounts(), ...base.mounts].filter(
    ({ inside }) => !inside.startsWith("/usr/"),
  )) {
    if (statSync(host).isDirectory()) mkdirSync(join(root, inside), { recursive: true });
    else writeFileSync(join(root, inside), "");
  }
  const users = Object.entries(base.users);
  const account = ([name, id]: readonly [string, number]): string =>
    `${name}:x:${id}:${id}::/home/${name}:/bin/sh\n`;
  writeFileSync(join(root, "etc/passwd"), `root:x:0:0:root:/root:/bin/bash\n${users.map(account).join("")}`);
  writeFileSync(
    join(root, "etc/group"),
    `root:x:0:\n${users.map(([name, id]) => `${name}:x:${id}:\n`).join("")}`,
  );
}

/**
 * Does a COPY into a stage whose root and work folder these are, out of the context or an earlier stage.
 * @throws Error for what is not there.
 */
export function copyInto(
  image: { readonly root: string; readonly workFolder: string },
  { from, owner, sources, target }: Extract<Step, { kind: "copy" }>,
  build: { readonly context: BuildContext; readonly built: ReadonlyMap<string, { readonly root: string }> },
): void {
  const to = join(image.root, posix.resolve(image.workFolder, target));
  const into = target.endsWith("/") || sources.length > 1 || existsSync(to) ? "folder" : "file";
  const before = new Set(filesUnder(to));
  for (const source of sources) {
    if (from === undefined) {
      build.context.copy(source, to, into);
      continue;
    }
    const stage = build.built.get(from);
    if (stage === undefined) throw new Error(`COPY --from=${from}: there is no such stage before this one`);
    const path = join(stage.root, posix.resolve("/", source));
    const isFolder = statSync(path).isDirectory();
    mkdirSync(into === "folder" || isFolder ? to : join(to, ".."), { recursive: true });
    execFileSync("cp", ["-a", "--no-preserve=ownership", isFolder ? `${path}/.` : path, to]);
  }
  const { uid, gid } = owner === undefined ? { uid: 0, gid: 0 } : userOf(image.root, owner);
  for (const path of filesUnder(to).filter((path) => !before.has(path))) lchownSync(path, uid, gid);
}

function filesUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name))];
}

/** `name`, `name:group`, `1000` or `1000:1000`, as the stage's own files know them. @throws Error for an unknown name. */
export function userOf(root: string, text: string): { uid: number; gid: number } {
  const [name = "", group] = text.split(":");
  const accounts = readFileSync(join(root, "etc/passwd"), "utf8").split("\n");
  const groups = readFileSync(join(root, "etc/group"), "utf8").split("\n");
  const find = (lines: readonly string[], wanted: string): string[] | undefined =>
    lines.map((line) => line.split(":")).find(([known, , id]) => known === wanted || id === wanted);
  const account = find(accounts, name);
  const uid = Number(account?.[2] ?? name);
  const gid = Number(group === undefined ? (account?.[3] ?? 0) : (find(groups, group)?.[2] ?? group));
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) throw new Error(`there is no user ${text}`);
  return { uid, gid };
}
