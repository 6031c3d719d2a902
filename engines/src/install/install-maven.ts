import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readChecksums, verifyChecksums } from "./checksums.ts";
import { type InstallPart, partSource } from "./engine-parts.ts";
import { runWithOutput } from "./run-with-output.ts";

/** The observer of an installation: it receives progress, and can cancel. */
export type InstallWatch = {
  readonly report: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/** Interval between reports of progress. */
const progressMs = 2000;

/**
 * Resolves the jars of a part with Maven into a folder and checks their checksums. Maven keeps downloads in its own
 * store, so an interrupted installation resumes there.
 * @throws Error with Maven's output, or with the names of the jars that differ from their checksums.
 */
export async function installWithMaven(
  part: Exclude<InstallPart, "python">,
  folder: string,
  { report, signal }: InstallWatch,
): Promise<number> {
  const source = partSource(part);
  const sums = readChecksums(readFileSync(join(source, "SHA256SUMS"), "utf8"));
  const progress = downloadProgress(report);
  const errors: string[] = [];
  const args = ["-B", "-f", join(source, "pom.xml"), `-Dengine.folder=${folder}`, "prepare-package"];
  const onLine = (line: string): void => {
    progress(line);
    if (line.startsWith("[ERROR]")) errors.push(line);
  };
  const status = await runWithOutput("mvn", args, { onLine, signal });
  if (status !== 0) {
    throw new Error(
      `Maven failed with exit code ${status}; check that its registry can be reached, then run this again: what is downloaded stays.\n${errors.slice(0, 8).join("\n")}`,
    );
  }
  const bytes = await verifyChecksums(folder, sums);
  signal?.throwIfAborted();
  await finish[part](folder, source, signal);
  return bytes;
}

/** Reports periodically how much Maven has downloaded. */
function downloadProgress(report: (text: string) => void): (line: string) => void {
  let files = 0;
  let bytes = 0;
  let reportedMs = performance.now();
  return (line) => {
    const found = /Downloaded from .* \(([\d.]+) (B|kB|MB)/.exec(line);
    if (!found) return;
    files += 1;
    bytes += Number(found[1]) * { B: 1, kB: 1e3, MB: 1e6 }[found[2] as "B" | "kB" | "MB"];
    if (performance.now() - reportedMs < progressMs) return;
    reportedMs = performance.now();
    report(`${files} files, ${(bytes / 1e6).toFixed(0)} MB downloaded`);
  };
}

/** Creates files from the jars once, so that no start has to. */
const finish: Readonly<
  Record<"kafka" | "spark", (folder: string, source: string, signal?: AbortSignal) => Promise<void>>
> = {
  kafka: writePluginManifests,
  spark: writeModuleOptions,
};

/** The sink's jar does not list its plugins; Kafka's own tool scans it and writes the list beside it. */
async function writePluginManifests(folder: string, _source: string, signal?: AbortSignal): Promise<void> {
  const tool = "org.apache.kafka.tools.ConnectPluginPath";
  const printed: string[] = [];
  const args = ["-cp", `${folder}/lib/*`, tool, "sync-manifests", "--plugin-path", `${folder}/plugins`];
  const status = await runWithOutput("java", args, { onLine: (line) => printed.push(line), signal });
  if (status !== 0) {
    throw new Error(
      `the manifests of Connect's plugins could not be written:\n${printed.slice(-8).join("\n")}`,
    );
  }
}

/** Spark knows which parts of the JVM must be opened for it; the installation queries it once. */
async function writeModuleOptions(folder: string, source: string, signal?: AbortSignal): Promise<void> {
  const printed: string[] = [];
  const args = ["-cp", `${folder}/jars/*`, join(source, "ModuleOptions.java")];
  const status = await runWithOutput("java", args, { onLine: (line) => printed.push(line), signal });
  const options = printed.find((line) => line.startsWith("-XX:") || line.startsWith("--add"));
  if (status !== 0 || options === undefined) {
    throw new Error(
      `Spark did not report its JVM options (a JDK is required, not a JRE):\n${printed.join("\n")}`,
    );
  }
  writeFileSync(join(folder, "module-options.txt"), `${options}\n`);
}
