import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { systemClock } from "@devicemesh/client/clock";
import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runImport } from "./start.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "import-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** Runs the command against a fake ingest. */
async function run(
  args: readonly string[],
  { stdin = "", refuses = () => false as boolean, counts = true } = {},
) {
  await using ingest = await startFakeIngest({ refuses, counts });
  return { ...(await runAgainst(ingest.target, args, stdin)), stored: [...ingest.stored] };
}

async function runAgainst(target: string, args: readonly string[], stdin = "") {
  let stdout = "";
  let stderr = "";
  const code = await runImport({
    args: ["--to", target, ...args],
    env: {},
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    clock: systemClock,
    interrupted: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

const flat =
  "device_id,timestamp,sensor,value\na,2025-03-29T20:00:00Z,temperature,21.5\nb,2025-03-29T20:00:01Z,humidity,40\n";

describe("npm run import", () => {
  it("stores the readings of a file and exits with 0", async () => {
    const { code, stdout, stored } = await run([await fileOf("flat.csv", flat)]);
    expect(stored.sort()).toEqual([
      "a|temperature|2025-03-29T20:00:00.000Z",
      "b|humidity|2025-03-29T20:00:01.000Z",
    ]);
    expect(stdout).toMatch(/2 stored\n +2 values in all/);
    expect(code).toBe(0);
  });

  it("reads compressed files of any name, and standard input", async () => {
    const files = [await fileOf("a", gzipSync(flat)), await fileOf("b.csv", zstdCompressSync(flat)), "-"];
    const { code, stdout, stored } = await run(files, { stdin: flat });
    expect(stored).toHaveLength(6);
    expect(stdout).toMatch(/2 stored\n +4 duplicates .*\n +6 values in all/);
    expect(code).toBe(0);
  });

  it("reads folders and globs, and names those that are empty", async () => {
    await fileOf("glob-1.csv", flat);
    await fileOf("glob-2.csv", flat.replaceAll("2025", "2024"));
    expect((await run([join(folder, "glob-*.csv")])).stored).toHaveLength(4);
    expect(await run([join(folder, "nothing-*.csv")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("matches no file"),
    });
    expect(await run([join(folder, "none.csv")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no such file"),
    });
  });

  it("asks all open questions of the files at once, and stores nothing", async () => {
    const open = await fileOf("open.csv", "time,temperature\n05/06/2025 10:00,21.5\n");
    const { code, stdout, stderr, stored } = await run([await fileOf("flat.csv", flat), open]);
    expect(stored).toEqual([]);
    expect(stdout).toMatch(/state --order day-month\|month-day: .*\n +state --zone: .*\n +state --device: /);
    expect(stderr).toContain("nothing was loaded: state --order day-month|month-day, --zone, --device");
    expect(code).toBe(2);
  });

  it("sends nothing in a dry run, and prints the same report", async () => {
    const { code, stdout, stored } = await run([await fileOf("flat.csv", flat), "--dry-run"]);
    expect(stored).toEqual([]);
    expect(stdout).toMatch(/2 would be stored \(if no earlier load.*\)\n +2 values in all/);
    expect(code).toBe(0);
  });

  it("writes rejected values to a file, with line and reason, and stores the rest", async () => {
    const bad = `${flat}a,2025-03-29T20:00:02Z,temperature,warm\na,today,temperature,1\na,2025-03-29T20:00:03Z,temperature,1000\nx\n`;
    const target = join(folder, "bad-rows.csv");
    const { code, stdout, stored } = await run([await fileOf("bad.csv", bad), "--bad-rows", target]);
    expect(stored).toHaveLength(2);
    expect(code).toBe(1);
    expect(stdout).toMatch(/2 stored\n +2 refused .*\n +2 bad rows .*\n +6 values in all/);
    const lines = (await readFile(target, "utf8")).split("\n");
    expect(lines[0]).toBe("file,line,column,reason,row");
    expect(lines.slice(1, 5).map((line) => line.split(",")[1])).toEqual(["4", "5", "6", "7"]);
    expect(lines[1]).toContain("the value is not a number");
  });

  it("counts readings that ingest rejects", async () => {
    const { code, stdout } = await run([await fileOf("flat.csv", flat)], { refuses: () => true });
    expect(stdout).toMatch(/0 stored\n +2 refused/);
    expect(code).toBe(1);
  });

  it("counts what an earlier load has stored as duplicates and conflicts", async () => {
    await using ingest = await startFakeIngest();
    const first = await fileOf("first.csv", flat);
    const second = await fileOf(
      "second.csv",
      `${flat.replace(",40", ",41")}c,2025-03-29T20:00:00Z,humidity,40\n`,
    );
    expect((await runAgainst(ingest.target, [first])).stdout).toMatch(/ {2}2 stored\n +2 values in all/);
    const again = await runAgainst(ingest.target, [first]);
    expect(again.stdout).toMatch(/ {2}0 stored\n +2 duplicates .*\n +2 values in all/);
    expect(again.code).toBe(0);
    const other = await runAgainst(ingest.target, [second]);
    expect(other.stdout).toMatch(/ {2}1 stored\n +1 duplicates .*\n +1 conflicts .*\n +3 values in all/);
  });

  it("reports readings that a lost attempt may have stored separately from duplicates", async () => {
    const fate = (unit: number) =>
      unit === 0
        ? ({ kind: "fail", when: "end", stored: true, code: "UNAVAILABLE", retryDelayMs: 1 } as const)
        : ({ kind: "ack" } as const);
    await using ingest = await startFakeIngest({ fate });
    const { stdout } = await runAgainst(ingest.target, [
      await fileOf("one.csv", flat.replaceAll("\nb", "\na")),
    ]);
    expect(stdout).toMatch(/ {2}0 stored\n +2 stored before or by a lost attempt .*\n +2 values in all/);
  });

  it("makes no statement about earlier loads if ingest does not report them", async () => {
    const file = await fileOf("twice.csv", `${flat}a,2025-03-29T20:00:00Z,temperature,21.5\n`);
    const { stdout } = await run([file], { counts: false });
    expect(stdout).toMatch(/ {2}2 accepted \(.*ListDuplicates.*\)\n +1 duplicates .*\n +3 values in all/);
  });

  it("stores the readings before the damaged part of a compressed file", async () => {
    const rows = Array.from(
      { length: 60_000 },
      (_, at) => `a,${new Date(1.7e12 + at * 1000).toISOString()},temperature,${at % 30}.${at % 7}`,
    );
    const packed = gzipSync(`device_id,timestamp,sensor,value\n${rows.join("\n")}\n`);
    const { code, stdout, stored } = await run([
      await fileOf("cut.csv.gz", packed.subarray(0, packed.length * 0.9)),
    ]);
    expect(stored.length).toBeGreaterThan(1000);
    expect(stdout).toMatch(/failed: .*cut\.csv\.gz is damaged: it cannot be unpacked as gzip/);
    expect(code).toBe(1);
  });

  it("knows the sensors of a user's catalog, and of the built-in one", async () => {
    const sensors = await fileOf(
      "sensors.json",
      '{"sensors":{"sap_flow":{"unit":"L/min","minimum":0,"maximum":10}}}',
    );
    const file = await fileOf("sap.csv", "device,time,Sap Flow,co2\na,2025-03-29T20:00Z,1.5,600\n");
    const { code, stdout } = await run([file, "--sensors", sensors]);
    expect(stdout).toMatch(/2 stored/);
    expect(code).toBe(0);
    expect((await run([file])).stdout).toMatch(/1 stored\n +1 unknown sensor \(Sap Flow 1/);
  });

  it("rejects invalid flags, all at once", async () => {
    const { code, stderr } = await run([
      "x.csv",
      "--zone",
      "Mars",
      "--unit",
      "temperature=hPa",
      "--map",
      "a=nonsense",
      "--sensor",
      "smell",
    ]);
    expect(code).toBe(2);
    for (const flag of ["--zone", "--unit", "--map", "--sensor"]) expect(stderr).toContain(`${flag}: `);
    const wrong = await run([await fileOf("flat.csv", flat), "--map", "column=-"]);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no file has the column "column"'),
    });
  });
});
