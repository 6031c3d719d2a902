import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "adding-a-sensor-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The time limit in minutes, on a machine with other work. */
const timeout = 1_200_000;

/** The tests of everything that is derived from the contract and the catalog. */
const tests = [
  "client/src/delivery/frame-encoder",
  "generator/src",
  "ingest/src/checks",
  "ingest/src/log/message-records",
  "ingest/src/publish/refused-readings",
  "ingest/src/wire",
  "proto/src",
  "query/src/plan/merge",
  "scripts/sensor-table",
  "store-duckdb/src/duckdb-sensor-catalog",
  "store-duckdb/src/series",
];

it("a CO₂ meter is added by reading.proto alone: generated code, checks and tests follow", {
  timeout,
}, () => {
  copyTree();
  const contract = join(copy, "proto/devicemesh/v1/reading.proto");
  // The change that docs/adding-a-sensor.md shows.
  const [message = "", line = ""] = protoBlocks("docs/adding-a-sensor.md");
  const before = readFileSync(contract, "utf8");
  const added = before
    .replace(/^\/\/ One measurement of a device/m, `${message}\n$&`)
    .replace(/( {4}\/\/[^\n]*\n)+ {4}SensorValue /, `${line}$&`);
  expect(added.length).toBe(before.length + message.length + 1 + line.length);
  writeFileSync(contract, added);

  run("generate", ["scripts/generate.ts"]);
  expect(readFileSync(join(copy, "proto/gen/sensors.ts"), "utf8")).toContain('"deviceType":"co2_meter"');
  run("check", [
    "-e",
    'const { runChecks } = await import("./scripts/check.ts"); process.exit((await runChecks({ nodeOnly: true })).failed)',
  ]);
  run("test", ["node_modules/vitest/vitest.mjs", "run", "--project=unit", ...tests]);
});

/** The proto blocks of a page, in order, without their indentation in a list. */
function protoBlocks(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^ {3}```proto\n(.*?)^ {3}```/gms)].map(([, block = ""]) =>
    block.replace(/^ {3}/gm, ""),
  );
}

/** The written files of this tree, and its installed modules; its own packages are those of the copy. */
function copyTree(): void {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const file of files.split("\n").filter((name) => name !== "")) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const modules = join(copy, "node_modules");
  for (const entry of readdirSync(join(root, "node_modules"))) {
    const scoped = entry.startsWith("@")
      ? readdirSync(join(root, "node_modules", entry)).map((name) => join(entry, name))
      : [entry];
    for (const name of scoped) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      const own = name.replace("@devicemesh/", "");
      symlinkSync(own === name ? join(root, "node_modules", name) : join(copy, own), join(modules, name));
    }
  }
  // The checks use git to list the files of the tree.
  execFileSync("git", ["init", "-q"], { cwd: copy });
  execFileSync("git", ["add", "-A"], { cwd: copy });
}

function run(what: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  expect(status, `${what}:\n${stdout.slice(-6000)}\n${stderr.slice(-6000)}`).toBe(0);
}
