import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Shape } from "./addresses.ts";

/** The folder of the project: paths in the stack's files are relative to it. */
export const projectFolder = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/** What is mounted, rendered; kept in the repository so that the stack's files are whole. */
export const configFolder = join(projectFolder, "stack/config");

/** Passwords and certificates; not in the repository. */
export const secretsFolder = join(projectFolder, "stack/secrets");

/** The files of a shape and what is merged over them, in the order in which Docker merges them. */
export function stackFiles(
  shape: Shape,
  more: { readonly admin?: boolean; readonly overlay?: readonly string[] } = {},
): readonly string[] {
  return [
    "docker-stack.yml",
    ...(shape === "single" ? ["docker-stack.single.yml"] : []),
    ...(more.admin === true ? ["docker-stack.admin.yml"] : []),
    ...(more.overlay ?? []),
  ];
}

/** A file that the stack mounts as a config or a secret. */
export type MountedFile = {
  readonly kind: "configs" | "secrets";
  /** As services name it. */
  readonly key: string;
  /** Relative to the project. */
  readonly file: string;
  /** The variable that its name in the Swarm has its content's hash from. */
  readonly variable: string;
};

/** All files that these stack files mount; those of a later one replace those of an earlier one. */
export function mountedFiles(stackFiles: readonly string[]): readonly MountedFile[] {
  const found = new Map<string, MountedFile>();
  for (const name of stackFiles) {
    const stack = parse(readFileSync(resolve(projectFolder, name), "utf8"), { merge: true }) as Record<
      MountedFile["kind"],
      Readonly<Record<string, { readonly file: string }>> | undefined
    >;
    for (const kind of ["configs", "secrets"] as const) {
      for (const [key, { file }] of Object.entries(stack[kind] ?? {})) {
        found.set(`${kind} ${key}`, { kind, key, file, variable: hashVariable(key) });
      }
    }
  }
  return [...found.values()];
}

function hashVariable(key: string): string {
  return `DEVICEMESH_HASH_${key.toUpperCase()}`;
}

/**
 * A variable for each mounted file, with a hash of what it holds: the Swarm cannot change a config or secret that is in
 * use, so another content needs another name. Files that are not there have none.
 */
export function hashVariables(stackFiles: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    mountedFiles(stackFiles).flatMap(({ file, variable }) => {
      const path = join(projectFolder, file);
      if (!existsSync(path)) return [];
      return [[variable, createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12)]];
    }),
  );
}

/** The mounted files that are not there. */
export function missingFiles(stackFiles: readonly string[]): readonly MountedFile[] {
  return mountedFiles(stackFiles).filter(({ file }) => !existsSync(join(projectFolder, file)));
}
