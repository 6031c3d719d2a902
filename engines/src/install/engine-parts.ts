import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostTool } from "./host-tools.ts";

/** What is installed apart from each other: the jars of Kafka and Connect, those of Spark, and native programs. */
export const installParts = ["kafka", "spark", "python"] as const;

export type InstallPart = (typeof installParts)[number];

/** Where a part is described: its versions and their checksums. */
export function partSource(part: InstallPart): string {
  return fileURLToPath(new URL(`../../${part}`, import.meta.url));
}

/** The files that decide what a part is; with any change it is another, and installed again. */
const decisiveFiles: Readonly<Record<InstallPart, readonly string[]>> = {
  kafka: ["pom.xml", "SHA256SUMS"],
  spark: ["pom.xml", "SHA256SUMS", "ModuleOptions.java"],
  python: ["requirements.txt"],
};

/** Changes when the same files are installed in another way. */
const layout = "2";

/** What a part needs of the host to be installed. */
export const partTools: Readonly<Record<InstallPart, readonly HostTool[]>> = {
  kafka: ["java", "maven"],
  spark: ["java", "maven"],
  python: ["python"],
};

/** Where the parts are kept unless told otherwise: outside of any checkout, so that all share them. */
export function defaultCache(): string {
  return join(homedir(), ".cache", "devicemesh", "engines");
}

/** Where a part of this version is, or will be. */
export function partFolder(cache: string, part: InstallPart): string {
  const hash = createHash("sha256").update(layout);
  for (const file of decisiveFiles[part]) hash.update(readFileSync(join(partSource(part), file)));
  const platform = part === "python" ? `-${process.platform}-${process.arch}` : "";
  return join(cache, `${part}${platform}-${hash.digest("hex").slice(0, 12)}`);
}

/** Whether a part is there: its folder gets its name only when it is whole. */
export function isInstalled(cache: string, part: InstallPart): boolean {
  return existsSync(partFolder(cache, part));
}
