import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostTool } from "./host-tools.ts";

/** The parts that are installed separately: the jars of Kafka and Connect, those of Spark, and native programs. */
export const installParts = ["kafka", "spark", "python"] as const;

export type InstallPart = (typeof installParts)[number];

/** The folder that describes a part: its versions and their checksums. */
export function partSource(part: InstallPart): string {
  return fileURLToPath(new URL(`../../${part}`, import.meta.url));
}

/** The files that define a part; any change makes it another part, which is installed again. */
const decisiveFiles: Readonly<Record<InstallPart, readonly string[]>> = {
  kafka: ["pom.xml", "SHA256SUMS"],
  spark: ["pom.xml", "SHA256SUMS", "ModuleOptions.java"],
  python: ["requirements.txt"],
};

/** Changes when the same files are installed in another way. */
const layout = "2";

/** The tools that the installation of a part needs on the host. */
export const partTools: Readonly<Record<InstallPart, readonly HostTool[]>> = {
  kafka: ["java", "maven"],
  spark: ["java", "maven"],
  python: ["python"],
};

/** The default folder of the parts: outside any checkout, so that all checkouts share them. */
export function defaultCache(): string {
  return join(homedir(), ".cache", "devicemesh", "engines");
}

/** Returns the folder of this version of a part, whether or not it exists. */
export function partFolder(cache: string, part: InstallPart): string {
  const hash = createHash("sha256").update(layout);
  for (const file of decisiveFiles[part]) hash.update(readFileSync(join(partSource(part), file)));
  const platform = part === "python" ? `-${process.platform}-${process.arch}` : "";
  return join(cache, `${part}${platform}-${hash.digest("hex").slice(0, 12)}`);
}

/** Whether a part is installed: its folder gets its final name only when it is complete. */
export function isInstalled(cache: string, part: InstallPart): boolean {
  return existsSync(partFolder(cache, part));
}

/** The program of the stand-in for MongoDB in the folder of the part `python`. */
export function standInProgram(python: string): string {
  return join(python, "secantusdb.scripts/secantusd-rs");
}
