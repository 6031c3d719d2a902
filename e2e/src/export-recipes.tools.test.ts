import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findRecipesPython } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MeshProcess, startMesh } from "../testing/mesh-process.ts";
import { blocks, patternOf, section } from "../testing/readme-blocks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const recipe = readFileSync(`${root}docs/recipes/python.md`, "utf8");
const venv = findRecipesPython();

// Without Python to install it, the test command prints a notice, and CI counts these as failures.
describe.skipIf(venv === undefined)("docs/recipes/python.md", () => {
  let mesh: MeshProcess;
  const folder = temporaryFolder();

  /** Runs Python against the mesh; DuckDB's extension is that of the venv, because there may be no network. */
  async function python(code: string): Promise<{ stdout: string; stderr: string; code: number }> {
    const here = code
      .replaceAll("127.0.0.1:8080", mesh.query)
      .replace(/^import duckdb$/m, `import duckdb\n${loadHttpfs}`);
    try {
      const run = await promisify(execFile)(join(venv ?? "", "bin/python"), ["-c", here], {
        timeout: 60_000,
      });
      return { ...run, code: 0 };
    } catch (error) {
      return error as { stdout: string; stderr: string; code: number };
    }
  }

  beforeAll(async () => {
    const recording = `${root}generator/recordings/seattle-hourly-normals.csv`;
    mesh = await startMesh(folder.path, ["--no-generator", "--replay", recording]);
    await waitUntil(() => mesh.output().includes("17,518 stored"), { timeoutMs: 30_000, what: "the replay" });
  });
  afterAll(async () => {
    await mesh?.stop();
    folder[Symbol.dispose]();
  });

  it.each(["pandas", "polars", "duckdb"])("%s prints what the page shows", async (name) => {
    const text = section(recipe, `test: ${name}`);
    const { stdout, stderr, code } = await python(blocks(text, "python")[0] ?? "");
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(patternOf((blocks(text, "text")[0] ?? "").trim()));
  });

  it("returns the same readings in every format and to every reader, bit for bit", async () => {
    const { stdout, stderr } = await python(`
import duckdb
import pandas as pd, polars as pl
mesh = "http://127.0.0.1:8080/v1/readings?format="
order = ["timestamp", "device_id", "sensor"]
def of(frame):
    frame = frame.assign(timestamp=pd.to_datetime(frame["timestamp"]).astype("datetime64[ms, UTC]"))
    return frame[order + ["value", "unit"]].astype({"device_id": object, "sensor": object, "unit": object})
wanted = of(pd.read_parquet(mesh + "parquet"))
assert len(wanted) == 17518 and wanted.equals(wanted.sort_values(order, kind="stable"))
for name, frame in {
    "csv": pd.read_csv(mesh + "csv"),
    "ndjson": pd.read_json(mesh + "ndjson", lines=True, precise_float=True),
    "arrow": pl.read_ipc(mesh + "arrow").to_pandas(),
    "polars parquet": pl.read_parquet(mesh + "parquet").to_pandas(),
    "polars csv": pl.read_csv(mesh + "csv").to_pandas(),
    "duckdb parquet": duckdb.sql(f"FROM read_parquet('{mesh}parquet')").pl().to_pandas(),
    "duckdb csv": duckdb.sql(f"FROM read_csv('{mesh}csv')").pl().to_pandas(),
}.items():
    print(name, of(frame).reset_index(drop=True).equals(wanted))
`);
    expect(stderr.includes("Traceback") ? stderr : stdout.trim().split("\n")).toEqual(
      ["csv", "ndjson", "arrow", "polars parquet", "polars csv", "duckdb parquet", "duckdb csv"].map(
        (name) => `${name} True`,
      ),
    );
  });

  it("reads buckets, and times in a zone", async () => {
    const { stdout, stderr } = await python(`
import pandas as pd, polars as pl
mesh = "http://127.0.0.1:8080/v1/buckets?bucket=1d&group_by=sensor&format="
parquet, arrow = pd.read_parquet(mesh + "parquet"), pl.read_ipc(mesh + "arrow&zone=America/Los_Angeles")
print(len(parquet), parquet["count"].sum(), arrow.height, arrow.schema["start"].time_zone)
`);
    expect(stderr.includes("Traceback") ? stderr : stdout.trim()).toBe("730 17518 730 America/Los_Angeles");
  });
});

const loadHttpfs = `
import duckdb_extension_httpfs, pathlib
[_path] = pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
duckdb.load_extension(str(_path))
`;
