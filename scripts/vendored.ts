// Checks the vendored protos against their original checksums and their list.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../proto/vendor/", import.meta.url));

/** Returns the vendored files that are changed, missing or not listed in SHA256SUMS. */
export function changedVendoredFiles(): string[] {
  const listed = new Map(
    readFileSync(join(folder, "SHA256SUMS"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+\.?\/?/) as [string, string])
      .map(([sum, name]) => [name, sum]),
  );
  const present = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".proto"))
    .map((name) => name.replaceAll("\\", "/"));
  const changed = present.filter((name) => {
    const sum = createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
    return listed.get(name) !== sum;
  });
  const missing = [...listed.keys()].filter((name) => !present.includes(name));
  return [...changed, ...missing];
}

if (import.meta.main) {
  const changed = changedVendoredFiles();
  if (changed.length > 0) {
    console.error(`vendored files differ from proto/vendor/SHA256SUMS: ${changed.join(", ")}`);
    process.exit(1);
  }
}
