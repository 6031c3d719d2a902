import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const web = fileURLToPath(new URL("../..", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const dist = join(web, "dist");
const stampName = ".stamp";

/** The inputs of the build, relative to the repository. */
const inputs = [
  "web/src",
  "web/index.html",
  "web/vite.config.ts",
  "proto/gen/es",
  "proto/src/device-ids.ts",
  "package-lock.json",
];

/** Whether `web/dist` was built from the current sources. */
export function isBuilt(): boolean {
  const stamp = join(dist, stampName);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hashOfInputs();
}

/**
 * Builds the dashboard into `web/dist` if it is missing or older than its sources, and returns whether it did. The
 * finished build replaces the old one in one step, so that a server never serves half of it.
 * @throws Error of Vite if the sources do not compile.
 */
export async function ensureBuilt({ onBuild = () => {} }: { onBuild?(): void } = {}): Promise<boolean> {
  if (isBuilt()) return false;
  onBuild();
  const stamp = hashOfInputs();
  const folder = join(web, `dist-${randomUUID()}`);
  try {
    const { build } = await import("vite");
    const options = { outDir: folder, emptyOutDir: true };
    await build({ root: web, configFile: join(web, "vite.config.ts"), logLevel: "warn", build: options });
    compress(folder);
    writeFileSync(join(folder, stampName), stamp);
    rmSync(dist, { recursive: true, force: true });
    renameSync(folder, dist);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
}

/** Writes a compressed copy of each text file, as small as possible: it is compressed once and served often. */
function compress(folder: string): void {
  for (const name of filesIn(folder)) {
    if (![".js", ".css", ".html", ".svg"].includes(extname(name))) continue;
    const plain = readFileSync(name);
    writeFileSync(`${name}.gz`, gzipSync(plain, { level: 9 }));
    const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(`${name}.br`, brotliCompressSync(plain, { params: quality }));
  }
}

function hashOfInputs(): string {
  const hash = createHash("sha256");
  const notBuilt = [join("src", "server") + sep, join("src", "build") + sep];
  for (const input of inputs) {
    const path = join(root, input);
    const files = extname(path) === "" ? filesIn(path) : [path];
    for (const file of files.filter((name) => !name.endsWith(".test.ts"))) {
      if (notBuilt.some((folder) => file.startsWith(join(web, folder)))) continue;
      hash.update(file.slice(root.length)).update(readFileSync(file));
    }
  }
  return hash.digest("hex");
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
