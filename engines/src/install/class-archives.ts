import { createHash } from "node:crypto";
import type { InstalledEngines } from "./install-engines.ts";
import type { ArchiveUse } from "./java-command.ts";

export type { ArchiveUse } from "./java-command.ts";

/**
 * Returns the location of an engine's class archive: beside its jars, one for each Java, because another version of
 * Java cannot read it.
 */
export function archiveFile(installed: InstalledEngines): ArchiveUse["file"] {
  const java = createHash("sha256").update(installed.javaVersion).digest("hex").slice(0, 12);
  return (engine) => {
    const home = engine.startsWith("spark") ? installed.spark : installed.kafka;
    return `${home}/classes-${java}/${engine}.jsa`;
  };
}
