import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { findEnvoy, findRecipesPython } from "@devicemesh/engines/testing/host-tools";
import { startEnvoy } from "@devicemesh/envoy";
import { localhost, quietEnvoy } from "@devicemesh/envoy/testing/edge-fixture";
import { startTestQuery, temperature } from "@devicemesh/query/testing/query-fixture";
import { describe, expect, it } from "vitest";

const venv = findRecipesPython();
const envoy = findEnvoy();

type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

async function run(program: string, ...args: readonly string[]): Promise<Outcome> {
  try {
    return {
      code: 0,
      ...(await promisify(execFile)(program, args, { timeout: 100_000, maxBuffer: 2 ** 26 })),
    };
  } catch (error) {
    return error as Outcome;
  }
}
const curl = (...args: readonly string[]) => run("curl", "-sS", "-o", "/dev/null", ...args);

/** Query over a memory store whose scans fail after 30,000 readings, if `isFailing`; and Envoy in front of it. */
async function startBehindEnvoy({ isFailing }: { readonly isFailing: boolean }) {
  await using starting = new AsyncDisposableStack();
  const query = starting.use(
    await startTestQuery({
      wrap: (store) => ({
        ...store,
        async *scanReadings(scan, signal) {
          yield* store.scanReadings(scan, signal);
          if (isFailing) throw new Error("the disk is gone");
        },
      }),
    }),
  );
  query.memory.append(
    Array.from({ length: 50_000 }, (_, place) => temperature(`device-${place % 9}`, -place, place / 7)),
  );
  const address = [localhost(query.query.port)];
  const edge = starting.use(
    await startEnvoy({
      ...quietEnvoy,
      binary: envoy ?? "",
      ingest: address,
      query: address,
      generator: address,
    }),
  );
  const running = starting.move();
  return {
    direct: query.baseUrl,
    edge: `http://127.0.0.1:${edge.plain.port}`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe.skipIf(envoy === undefined)("an export that the store breaks off", () => {
  it("is an error to curl, over HTTP/1.1 and HTTP/2, also through Envoy", async () => {
    await using running = await startBehindEnvoy({ isFailing: true });
    for (const address of [running.direct, running.edge]) {
      for (const format of ["csv", "ndjson", "arrow", "parquet"]) {
        const url = `${address}/v1/readings?format=${format}`;
        expect([url, (await curl(url)).code]).toEqual([url, 18]);
        expect([url, (await curl("--http2-prior-knowledge", url)).code]).toEqual([url, 92]);
      }
    }
  });

  it.skipIf(venv === undefined)(
    "is an exception in pandas and Polars",
    async () => {
      await using running = await startBehindEnvoy({ isFailing: true });
      const { stdout, stderr } = await run(
        join(venv ?? "", "bin/python"),
        "-c",
        `
import pandas as pd, polars as pl
for mesh in ["${running.direct}/v1/readings", "${running.edge}/v1/readings"]:
    for read in [
        lambda: pd.read_csv(mesh),
        lambda: pd.read_json(mesh + "?format=ndjson", lines=True),
        lambda: pd.read_parquet(mesh + "?format=parquet"),
        # It would ask again for three minutes.
        lambda: pl.read_ipc(mesh + "?format=arrow", storage_options={"max_retries": 0}),
    ]:
        try:
            print("read", len(read()))
        except Exception as error:
            print(type(error).__name__)
`,
      );
      const seen = ["IncompleteRead", "IncompleteRead", "IncompleteRead", "OSError"];
      expect(stderr.includes("Traceback") ? stderr : stdout.trim().split("\n")).toEqual([...seen, ...seen]);
    },
    120_000,
  );
});

describe.skipIf(envoy === undefined)("an export through Envoy", () => {
  it("is complete, states its end as a trailer, and can be read in ranges", async () => {
    await using running = await startBehindEnvoy({ isFailing: false });
    for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
      const { stdout } = await run(
        "curl",
        "-sS",
        "-i",
        version,
        "-H",
        "te: trailers",
        `${running.edge}/v1/readings`,
      );
      expect(stdout.split("\n").filter((line) => line.includes(",temperature,"))).toHaveLength(50_000);
      expect(stdout).toContain("devicemesh-complete-through: ");
      expect(stdout).toMatch(/devicemesh-export-end: {"rows":50000,/);
    }
    const url = `${running.edge}/v1/buckets?format=parquet`;
    const head = await fetch(url, { method: "HEAD" });
    const part = await fetch(url, { headers: { range: "bytes=-4" } });
    expect([part.status, await part.text()]).toEqual([206, "PAR1"]);
    expect(part.headers.get("etag")).toBe(head.headers.get("etag"));
  });

  it("accepts no other method on these paths", async () => {
    await using running = await startBehindEnvoy({ isFailing: false });
    expect((await fetch(`${running.edge}/v1/buckets`, { method: "DELETE" })).status).toBe(404);
    expect((await fetch(`${running.edge}/v1/other`)).status).toBe(404);
  });
});
