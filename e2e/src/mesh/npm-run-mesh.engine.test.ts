import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type PartialDocument } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { ServerReflection } from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import { describe, expect, it } from "vitest";
import { everyMs } from "../../testing/mesh/waits.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";
import { buildDashboard } from "../../testing/web/dashboard-fixture.ts";

const engines = await testEngines();
const main = fileURLToPath(new URL("../../../mesh/src/main.ts", import.meta.url));
const recording = fileURLToPath(
  new URL("../../../generator/recordings/seattle-hourly-normals.csv", import.meta.url),
);

/** The figures of the recording, as in the README. */
const thermostat = { count: 8759n, minimum: 3.1, maximum: 24.4, sum: 97466.8, average: 11.127617307911862 };
const messages = 17_518;

/** `npm run mesh`, like a user runs it, without npm in between. */
type MeshRun = AsyncDisposable & {
  readonly child: ChildProcess;
  output(): string;
  readonly exited: Promise<number | null>;
};

function runMesh(folder: string, args: readonly string[]): MeshRun {
  const child = spawn(process.execPath, [main, "--data", folder, ...["--port", "0"], ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const exited = once(child, "exit").then(([code]) => code as number | null);
  return {
    child,
    output: () => text,
    exited,
    // A failed test must leave no process.
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await exited;
    },
  };
}

async function untilPrinted(run: MeshRun, what: RegExp): Promise<RegExpExecArray> {
  let found: RegExpExecArray | null = null;
  let ended = false;
  void run.exited.then(() => {
    ended = true;
  });
  await waitUntil(
    () => {
      found = what.exec(run.output());
      return found !== null || ended;
    },
    { timeoutMs: 400_000, everyMs, what: `${what}` },
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n${run.output()}`);
  });
  if (!found) throw new Error(`npm run mesh ended:\n${run.output()}`);
  return found;
}

async function statusOf(folder: string): Promise<string> {
  await using run = runMesh(folder, ["status"]);
  expect(await run.exited).toBe(0);
  return run.output();
}

/** Checks that every service of the contract is at the one address, with its reflection, and the page. */
async function askEveryService(address: string): Promise<void> {
  const transport = createGrpcTransport({ baseUrl: `http://${address}` });
  using publisher = createPublisher(address);
  const reading = readingOf({ deviceId: "mine", sensor: "temperature", timestampMs: Date.now(), value: 20 });
  expect(await publisher.publish([reading])).toMatchObject({ accepted: 1n });
  const { status } = await createClient(GeneratorService, transport).getGeneratorStatus({});
  expect(status?.running).toBe(false);
  await createClient(AggregatorService, transport).getWindowJobStatus({});
  const services = await listServices(transport);
  for (const { typeName } of [IngestService, QueryService, GeneratorService, AggregatorService]) {
    expect(services).toContain(typeName);
  }
  const page = await fetch(`http://${address}/`);
  expect(await page.text()).toContain('<div id="app">');
  const facts = await fetch(`http://${address}/facts.json`);
  expect(JSON.stringify(await facts.json())).toContain(address);
}

async function listServices(transport: Transport): Promise<readonly string[]> {
  const client = createClient(ServerReflection, transport);
  async function* request() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
  }
  for await (const { messageResponse: answer } of client.serverReflectionInfo(request())) {
    if (answer.case === "listServicesResponse") return answer.value.service.map(({ name }) => name);
  }
  return [];
}

async function askThermostat(address: string) {
  const client = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${address}` }));
  const { rows, coverage } = await client.getAggregates({ deviceIds: ["seattle-thermostat"] });
  const [row] = rows;
  return {
    figures: row && {
      count: row.count,
      minimum: row.minimum,
      maximum: row.maximum,
      sum: Number(row.sum?.toFixed(6)),
      average: row.average,
    },
    coverage,
  };
}

describe.skipIf(engines === undefined)("npm run mesh", () => {
  it("replays the recording, answers from windows, survives its own kill -9, and resumes", {
    timeout: 1_500_000,
  }, async () => {
    await buildDashboard();
    const folder = join(engines!.folder, "npm-run-mesh");
    await using first = runMesh(folder, ["--no-generator", "--replay", recording]);
    const [, address = ""] = await untilPrinted(first, /address +http:\/\/(\S+:\d+)\//);
    const [, mongodbUrl = ""] = await untilPrinted(first, /mongodb +(\S+)/);
    await untilPrinted(first, /replayed /);

    // From windows, not raw, once all of it is sealed.
    let answer = await askThermostat(address);
    await waitUntil(
      async () => {
        answer = await askThermostat(address);
        return answer.coverage?.fromWindows === thermostat.count && answer.coverage.fromRaw === 0n;
      },
      { timeoutMs: 240_000, everyMs, what: "the recording is answered from windows" },
    );
    expect(answer.figures).toEqual({ ...thermostat, average: expect.closeTo(thermostat.average, 12) });

    await using mongo = openMongo({ url: mongodbUrl, database: "devicemesh", appName: "test" });
    expect(await mongo.db.collection(collections.messages).countDocuments()).toBe(messages);
    const window = await mongo.db.collection<PartialDocument>(collections.windows).findOne({
      device_id: "seattle-thermostat",
      window_start: new Date("2010-12-22T05:00:00Z"),
    });
    process.stdout.write(`a window: ${JSON.stringify(window)}\n`);
    expect(window).toMatchObject({
      sensor: "temperature",
      count: 1,
      sum: 3.1,
      minimum: 3.1,
      maximum: 3.1,
      minimum_at: new Date("2010-12-22T05:00:00Z"),
      m2: 0,
    });
    expect(window?._id).toBe(
      `seattle-thermostat|temperature|2010-12-22T05:00:00.000Z|${window?.segment_start.toISOString()}`,
    );

    const running = await statusOf(folder);
    for (const name of ["kafka-1", "mongo", "connect", "spark"]) {
      expect(running).toMatch(new RegExp(`^${name} +ready `, "m"));
    }
    for (const name of ["operator", "aggregator", "ingest", "query", "envoy", "generator"]) {
      expect(running).toMatch(new RegExp(`^${name} +running +127\\.0\\.0\\.1:\\d+ +\\d+ +\\d+ MiB`, "m"));
    }
    expect(running).toMatch(new RegExp(`^envoy +running +${address} `, "m"));
    await askEveryService(address);

    first.child.kill("SIGKILL");
    await first.exited;
    await using second = runMesh(folder, ["--no-generator"]);
    await untilPrinted(second, /ended (?=.*operator)(?=.*envoy).* of an earlier run/);
    const [, addressAgain = ""] = await untilPrinted(second, /address +http:\/\/(\S+:\d+)\//);
    await waitUntil(
      async () => {
        const again = await askThermostat(addressAgain);
        return JSON.stringify(again.figures, texts) === JSON.stringify(answer.figures, texts);
      },
      { timeoutMs: 120_000, everyMs, what: "the same answer as before" },
    );
    second.child.kill("SIGINT");
    expect(await second.exited).toBe(0);
    expect(second.output()).toContain("stopped; everything acknowledged is stored");
    const stopped = await statusOf(folder);
    expect(stopped).not.toMatch(/ (ready|running|unready) /);
  });
});

function texts(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
