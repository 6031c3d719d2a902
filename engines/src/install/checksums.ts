import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { problemsListedMax } from "../limits.ts";

/** Returns the names and sums of a SHA256SUMS file. @throws Error for a malformed line. */
export function readChecksums(text: string): Map<string, string> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line): [string, string] => {
        const found = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
        if (!found) throw new Error(`not a checksum: ${line}`);
        return [found[2]!, found[1]!];
      }),
  );
}

/**
 * Checks the jars of a folder against their checksums, and resolves with their size in bytes.
 * @throws Error naming the files that are missing, changed, or not listed.
 */
export async function verifyChecksums(folder: string, sums: ReadonlyMap<string, string>): Promise<number> {
  const problems: string[] = [];
  let bytes = 0;
  const found = new Set(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".jar"))
      .map((path) => path.replaceAll("\\", "/")),
  );
  for (const [path, sum] of sums) {
    if (!found.delete(path)) {
      problems.push(`${path} is missing`);
      continue;
    }
    bytes += statSync(join(folder, path)).size;
    if ((await sha256(join(folder, path))) !== sum)
      problems.push(`${path} is not the file that was checked in`);
  }
  problems.push(...[...found].map((path) => `${path} is not listed`));
  if (problems.length > 0) {
    throw new Error(`the checksums do not agree:\n${problems.slice(0, problemsListedMax).join("\n")}`);
  }
  return bytes;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
