// Generates everything under proto/gen from the contract, aggregator/gen from Spark Connect's protos, the example's
// code for browsers, and the boards of Grafana. `--check` generates into a temporary folder instead, compares, and
// fails with the names of the stale files.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { boardFiles } from "@devicemesh/stack/boards/boards";
import { renderSensorTable } from "./sensor-table.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** An example with its own buf.gen.yaml, like in a user's copy. */
const browserExample = "examples/browser";

const boardsFolder = "stack/grafana/boards";

const genFolders = ["proto/gen", "aggregator/gen", `${browserExample}/gen`, boardsFolder] as const;

function buf(args: string[], folder = root): void {
  execFileSync(process.execPath, [join(root, "node_modules/@bufbuild/buf/bin/buf"), ...args], {
    cwd: folder,
    // The example names its plugin in the way npm scripts find it.
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` },
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** Generates into the `genFolders` under `outRoot`. */
function generate(outRoot: string): void {
  const gen = join(outRoot, "proto/gen");
  for (const folder of genFolders) rmSync(join(outRoot, folder), { recursive: true, force: true });
  buf(["generate", "-o", outRoot]);
  buf(["generate", "-o", outRoot, "--template", "buf.gen.ingest.yaml"]);
  buf(["generate", "-o", outRoot, "--template", "buf.gen.spark.yaml"]);
  buf(["generate", "-o", join(outRoot, browserExample)], join(root, browserExample));
  buf(["build", "--exclude-source-info", "-o", join(gen, "image.binpb")]);
  const catalog = readFileSync(join(root, "proto/sensors.yaml"), "utf8");
  writeFileSync(join(gen, "sensors.ts"), renderSensorTable(readFileSync(join(gen, "image.binpb")), catalog));
  mkdirSync(join(outRoot, boardsFolder), { recursive: true });
  for (const [name, text] of boardFiles()) writeFileSync(join(outRoot, boardsFolder, name), text);
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Returns the files, relative to the repository, whose committed text differs from the generated one. */
export function staleFiles(): string[] {
  const fresh = mkdtempSync(join(tmpdir(), "device-mesh-gen-"));
  try {
    generate(fresh);
    const names = new Set(
      [root, fresh].flatMap((base) =>
        genFolders.flatMap((folder) => filesUnder(join(base, folder))).map((path) => relative(base, path)),
      ),
    );
    return [...names].filter((name) => {
      const [ours, theirs] = [join(root, name), join(fresh, name)];
      if (!existsSync(ours) || !existsSync(theirs)) return true;
      return !readFileSync(ours).equals(readFileSync(theirs));
    });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    const stale = staleFiles();
    if (stale.length > 0) {
      console.error(`Generated code is stale; run "npm run generate" and commit:\n  ${stale.join("\n  ")}`);
      process.exit(1);
    }
  } else {
    generate(root);
    // Last, because it imports generated code.
    (await import("./metrics-tables.ts")).writeMetricsTables();
  }
}
