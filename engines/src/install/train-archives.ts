import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startInstalledEngines } from "../run/start-engines.ts";
import { archiveFile } from "./class-archives.ts";
import type { InstalledEngines } from "./install-engines.ts";

/** The engines with class archives. */
const trained = ["kafka", "connect", "spark"] as const;

/** Whether the archives for this Java exist. */
export function hasArchives(installed: InstalledEngines): boolean {
  return trained.every((engine) => existsSync(archiveFile(installed)(engine)));
}

/**
 * Starts each engine once, in a separate folder, and lets it record the classes that it loaded when it ends: later
 * starts map them into memory, which takes half the time and half the work. It is also the first proof that the
 * installation works.
 * @throws Error if an engine does not start.
 */
export async function trainArchives(
  installed: InstalledEngines,
  report: (text: string) => void,
): Promise<void> {
  const startMs = performance.now();
  report("first start: keeping the classes that each engine loads, so that later starts are quick");
  const folder = mkdtempSync(join(tmpdir(), "devicemesh-engines-"));
  const target = archiveFile(installed);
  const partial = (engine: string): string => `${target(engine)}.partial`;
  for (const engine of trained) mkdirSync(dirname(target(engine)), { recursive: true });
  try {
    const engines = await startInstalledEngines({ folder, parts: ["kafka", "connect", "spark"] }, installed, {
      kind: "write",
      file: partial,
    });
    await engines.stop();
    for (const engine of trained) {
      if (existsSync(partial(engine))) renameSync(partial(engine), target(engine));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  report(`first start: done (${((performance.now() - startMs) / 1000).toFixed(0)} s)`);
}
