import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageEntries, imageFlaws, stateFolder } from "../../testing/images/image-contents.ts";
import { replayOf, replayProblem } from "../../testing/images/image-fixture.ts";
import { brokenImports } from "../../testing/images/image-imports.ts";
import { runImage } from "../../testing/images/image-run.ts";
import type { ReplayedImage } from "../../testing/images/replay-image.ts";
import { probeService, startService } from "../../testing/images/service-fixture.ts";

/** Room for what is still to come; Node and Debian are not in it. */
const megabytesMax = 40;

describe.skipIf(replayProblem !== undefined)("the image of the services", { timeout: 180_000 }, () => {
  let replay: Awaited<ReturnType<typeof replayOf>>;
  let image: ReplayedImage;
  beforeAll(async () => {
    replay = await replayOf("services", process.env);
    image = replay.image;
  }, 300_000);
  afterAll(() => replay?.[Symbol.dispose]());

  it("is small", () => {
    const bytes = imageEntries(image).reduce((sum, entry) => sum + entry.bytes, 0);
    process.stdout.write(`images: services adds ${(bytes / 1e6).toFixed(1)} MB to its base\n`);
    expect(bytes).toBeGreaterThan(5e6);
    expect(bytes).toBeLessThan(megabytesMax * 1e6);
  });

  it("has nothing that everybody or its own user may write, no test and no secret", () => {
    expect(imageFlaws(image)).toEqual([]);
    writeFileSync(join(image.root, "opt/devicemesh/kit/src/a.test.ts"), "", { mode: 0o600 });
    writeFileSync(join(image.root, "opt/devicemesh/.npmrc"), "");
    expect(imageFlaws(image)).toEqual([
      "/opt/devicemesh/.npmrc: it has the name of a secret",
      "/opt/devicemesh/kit/src/a.test.ts: its user may not read it",
      "/opt/devicemesh/kit/src/a.test.ts: it is for tests",
    ]);
  });

  it("gives its user one folder to write to", () => {
    const own = imageEntries(image).filter(({ uid }) => uid === image.user.uid);
    expect(own.map(({ path }) => path)).toEqual([stateFolder]);
  });

  it("has no tool of development, no DuckDB, and no other Node than its base's", () => {
    const modules = readdirSync(join(image.root, "opt/devicemesh/node_modules"));
    const unwanted = /^(typescript|vitest|vite|tsx|fast-check|ts-proto|playwright-core|listr2|node|node-.*)$/;
    expect(modules.filter((name) => unwanted.test(name))).toEqual([]);
    expect(modules.filter((name) => ["@biomejs", "@duckdb", "@peculiar", "@vitest"].includes(name))).toEqual(
      [],
    );
    expect(readdirSync(join(image.root, "opt/devicemesh/node_modules/@bufbuild"))).not.toContain("buf");
    expect(existsSync(join(image.root, "opt/devicemesh/node_modules/mongodb"))).toBe(true);
    expect(readdirSync(join(image.root, "opt/devicemesh/stack"))).not.toContain("images");
  });

  it("has all that its code imports, and no code that imports what is not there", () => {
    const folder = join(image.root, "opt/devicemesh");
    expect(brokenImports(folder)).toEqual([]);
    writeFileSync(
      join(folder, "kit/src/broken.ts"),
      'import { a } from "./none.ts";\nimport type { b } from "./types.ts";\nimport { c } from "vitest";\nimport {\n  d,\n} from "@devicemesh/kit/none";\n',
    );
    expect(brokenImports(folder)).toEqual([
      "kit/src/broken.ts: ./none.ts",
      "kit/src/broken.ts: vitest",
      "kit/src/broken.ts: @devicemesh/kit/none",
    ]);
  });

  it("has programs that all start, and tell how they are used", async () => {
    const mains = imageEntries(image).flatMap(({ path }) =>
      /^\/opt\/devicemesh\/(?!node_modules).*[/-]main\.ts$/.test(path) ? [path] : [],
    );
    const services = ["ingest", "query", "generator", "operator", "aggregator"];
    for (const service of services) expect(mains).toContain(`/opt/devicemesh/${service}/src/main.ts`);
    expect(mains).toContain("/opt/devicemesh/kit/src/health/probe-main.ts");
    for (const main of mains) {
      const { exitCode, output } = await runImage(image, { command: ["node", main, "--help"] });
      expect([main, exitCode]).toEqual([main, 0]);
      expect(output).toMatch(/^Usage: /);
      expect(output).not.toContain("Warning");
    }
  });

  it("has a generator that is SERVING by the image's own probe, and ends as it is asked", async () => {
    await using service = await startService(image, "generator", [
      "serve",
      "--idle",
      "--target",
      "127.0.0.1:9",
    ]);
    expect(await probeService(image, service.port)).toEqual({ exitCode: 0, output: "" });
    expect(await probeService(image, service.port, "devicemesh.v1.GeneratorService")).toMatchObject({
      exitCode: 0,
    });
    expect(await service.stop()).toBe(0);
    expect(await probeService(image, service.port)).toMatchObject({ exitCode: 1 });
  });

  it.each([
    ["ingest", ["--kafka-brokers", "127.0.0.1:9"]],
    ["query", ["--mongodb-url", "mongodb://127.0.0.1:9"]],
    ["aggregator", ["--mongodb-url", "mongodb://127.0.0.1:9", "--kafka-brokers", "127.0.0.1:9"]],
  ] as const)(
    "has %s, which is NOT_SERVING without its engines, answers, and ends as it is asked",
    async (name, args) => {
      await using service = await startService(image, name, args);
      await waitUntil(async () => (await probeService(image, service.port)).exitCode === 1, {
        timeoutMs: 20_000,
      });
      expect((await probeService(image, service.port)).output).toBe(
        `127.0.0.1:${service.port} is NOT_SERVING\n`,
      );
      expect(await probeService(image, service.port, "--answering")).toMatchObject({ exitCode: 0 });
      expect(await service.stop()).toBe(0);
    },
  );

  it("has an operator that waits for its engines, says so, and ends as it is asked", async () => {
    await using service = await startService(
      image,
      "operator",
      [
        "--mongodb-url",
        "mongodb://127.0.0.1:9",
        "--kafka-brokers",
        "127.0.0.1:9",
        "--connect-url",
        // Not 9: fetch refuses that one without connecting.
        "http://127.0.0.1:2",
      ],
      { until: "stderr" },
    );
    // The last piece may be half a line; a reason that changes is another line of the same engine.
    const waitedFor = () =>
      service.output.stderr
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .filter(({ msg }) => msg === "waiting for dependency")
        .map(({ dependency }) => dependency);
    const engines = ["kafka", "kafka-connect", "mongodb"];
    await waitUntil(() => engines.every((engine) => waitedFor().includes(engine)) || service.hasEnded(), {
      timeoutMs: 60_000,
      what: "all three engines are waited for",
    });
    expect(new Set(waitedFor())).toEqual(new Set(engines));
    expect(service.output.stderr).toContain("ECONNREFUSED 127.0.0.1:2");
    expect(await service.stop()).toBe(0);
  });

  it("tells a wrong setting and ends", async () => {
    const { exitCode, output } = await runImage(image, {
      command: ["node", "/opt/devicemesh/ingest/src/main.ts"],
      environment: { DEVICEMESH_KAFKA_BROKER: "a:1" },
    });
    expect(exitCode).toBe(2);
    expect(output).toContain("DEVICEMESH_KAFKA_BROKERS");
  });
});
