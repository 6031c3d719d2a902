import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { installLockLimitMs } from "../limits.ts";
import type { MongoProgram } from "../plans/mongo-plan.ts";
import type { EngineHomes } from "../plans/plan-context.ts";
import { withFileLock } from "../run/file-lock.ts";
import {
  installParts as allParts,
  defaultCache,
  type InstallPart,
  isInstalled,
  partFolder,
  partTools,
  standInProgram,
} from "./engine-parts.ts";
import { type HostTool, hostMongod, javaVersionText, missingText, missingTools } from "./host-tools.ts";
import { type InstallWatch, installWithMaven } from "./install-maven.ts";
import { installWheels } from "./install-wheels.ts";

/** The installed engines. */
export type InstalledEngines = EngineHomes & {
  /** The output of `java -version`. */
  readonly javaVersion: string;
  /** The program of the database: the host's mongod if it has one, otherwise the stand-in. */
  mongo(): MongoProgram;
};

/** The host lacks tools that the engines need. The message names them and how to install them. */
export class MissingToolsError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "MissingToolsError";
  }
}

/** Where and how parts are installed. */
export type InstallOptions = {
  readonly cache?: string;
  /** Receives progress, one line at a time. */
  readonly report?: (text: string) => void;
  /** Cancels the installation and its processes; downloads are kept. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Installs the missing parts, and resolves with their location. A part is moved to its final folder only when it is
 * complete; two concurrent installations wait for each other.
 * @throws MissingToolsError before anything is done; Error if a part cannot be downloaded or differs from its
 * checksums.
 */
export async function installEngines(options: InstallOptions = {}): Promise<InstalledEngines> {
  const wanted = allParts.filter((part) => !isInstalled(resolve(options.cache ?? defaultCache()), part));
  assertTools(["java", ...wanted.flatMap((part) => partTools[part])]);
  const cache = await installParts(allParts, options);
  const python = partFolder(cache, "python");
  return {
    kafka: partFolder(cache, "kafka"),
    spark: partFolder(cache, "spark"),
    python,
    javaVersion: javaVersionText() ?? "",
    mongo() {
      const mongod = hostMongod();
      return mongod === undefined
        ? { kind: "stand-in", command: standInProgram(python) }
        : { kind: "mongod", command: mongod };
    },
  };
}

/**
 * Installs the missing ones of the parts, and resolves with the full path of their cache.
 * @throws MissingToolsError before anything is done; Error if a part cannot be downloaded or differs from its
 * checksums.
 */
export async function installParts(
  parts: readonly InstallPart[],
  options: InstallOptions = {},
): Promise<string> {
  const { report = () => {}, signal } = options;
  const cache = resolve(options.cache ?? defaultCache());
  const wanted = parts.filter((part) => !isInstalled(cache, part));
  assertTools(wanted.flatMap((part) => partTools[part]));
  if (wanted.length > 0) {
    mkdirSync(cache, { recursive: true });
    await withFileLock(
      join(cache, "install.lock"),
      async () => {
        for (const part of wanted) await installPart(cache, part, { report, signal });
      },
      {
        limitMs: installLockLimitMs,
        signal,
        onWait: (pid) => report(`process ${pid} is installing; waiting for it`),
      },
    );
  }
  return cache;
}

/** @throws MissingToolsError that names all missing tools. */
function assertTools(tools: readonly HostTool[]): void {
  const missing = missingTools([...new Set(tools)]);
  if (missing.length > 0) throw new MissingToolsError(missingText(missing));
}

async function installPart(
  cache: string,
  part: InstallPart,
  { report, signal }: InstallWatch,
): Promise<void> {
  signal?.throwIfAborted();
  const folder = partFolder(cache, part);
  if (existsSync(folder)) return;
  const startMs = performance.now();
  const partial = `${folder}.partial`;
  const reportPart = (text: string): void => {
    report(`${part}: ${text} (${((performance.now() - startMs) / 1000).toFixed(0)} s)`);
  };
  report(`${part}: installing into ${folder}`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const bytes =
    part === "python"
      ? await installWheels(partial, signal)
      : await installWithMaven(part, partial, { report: reportPart, signal });
  renameSync(partial, folder);
  reportPart(`installed and checked, ${(bytes / 1e6).toFixed(0)} MB`);
}
