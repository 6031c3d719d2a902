import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Shape } from "./addresses.ts";

/** The folder of the project: paths in the stack's files are relative to it. */
export const projectFolder = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/** The rendered mounted files; committed, so that the stack's files are complete. */
export const configFolder = join(projectFolder, "stack/config");

/** Passwords and certificates; not in the repository. */
export const secretsFolder = join(projectFolder, "stack/secrets");

/** The files of a shape, in the order in which Docker merges them. */
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
  /** Its name in the services. */
  readonly key: string;
  /** Its path, relative to the project. */
  readonly file: string;
  /** The variable with the hash of its content, which is part of its name in the Swarm. */
  readonly variable: string;
};

/** Returns all files that these stack files mount; a later stack file overrides an earlier one. */
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
 * Returns a variable for each mounted file, with a hash of its content: the Swarm cannot change a config or secret that
 * is in use, so different content needs a different name. Missing files have none.
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

/** Returns the mounted files that do not exist. */
export function missingFiles(stackFiles: readonly string[]): readonly MountedFile[] {
  return mountedFiles(stackFiles).filter(({ file }) => !existsSync(join(projectFolder, file)));
}
