import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import type { EngineName } from "../engine-names.ts";
import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import { freePorts } from "../plans/free-ports.ts";
import { endEngines, killEngine, startEngine } from "./engine-control.ts";
import { noEngines, readState, writeState } from "./engines-state.ts";
import { readEnginesStatus } from "./engines-status.ts";
import { isRunning } from "./process-identity.ts";

/** An engine for tests: a small server that writes its name into `ended` on SIGTERM. */
function standIn(folder: string, name: EngineName, port: number, script = ""): EngineSpec {
  const files = engineFiles(folder, name);
  const code = `${script}
    console.log("${name} is up");
    process.on("SIGTERM", () => {
      require("node:fs").appendFileSync(${JSON.stringify(join(folder, "ended"))}, "${name}\\n");
      process.exit();
    });
    require("node:http").createServer((_, response) => response.end("ready")).listen(${port}, "127.0.0.1");`;
  return {
    name,
    needs: [],
    command: process.execPath,
    args: ["-e", code],
    workFolder: folder,
    probe: { kind: "http", url: `http://127.0.0.1:${port}/` },
    address: `http://127.0.0.1:${port}`,
    logFile: files.output,
    outputFile: files.output,
    readyLimitMs: 20_000,
    stopGraceMs: 10_000,
  };
}

async function folderOf(names: readonly EngineName[], script?: string) {
  const folder = temporaryFolder();
  const ports = await freePorts(names.length);
  const engines = names.map((name, i) => ({ spec: standIn(folder.path, name, ports[i]!, script) }));
  writeState(folder.path, { ...noEngines, engines });
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await endEngines(folder.path, { graceLimitMs: 0 });
      folder[Symbol.dispose]();
    },
  };
}

const processOf = (folder: string, name: EngineName) =>
  readState(folder).engines.find(({ spec }) => spec.name === name)?.process;

const statesOf = async (folder: string) => (await readEnginesStatus(folder)).map(({ state }) => state);

describe("an engine", () => {
  it("is stopped, ready, dead and ready again when it is started, killed from outside, and started", async () => {
    await using folder = await folderOf(["mongo"]);
    expect(await statesOf(folder.path)).toEqual(["stopped"]);
    await startEngine(folder.path, "mongo");
    expect(await readEnginesStatus(folder.path)).toEqual([
      expect.objectContaining({ name: "mongo", state: "ready", memoryBytes: expect.any(Number) }),
    ]);
    const first = processOf(folder.path, "mongo")!;
    process.kill(first.pid, "SIGKILL");
    await expect.poll(() => statesOf(folder.path)).toEqual(["dead"]);
    await startEngine(folder.path, "mongo");
    expect(await statesOf(folder.path)).toEqual(["ready"]);
    expect(processOf(folder.path, "mongo")).not.toEqual(first);
  });

  it("that is running is not started a second time", async () => {
    await using folder = await folderOf(["mongo"]);
    await startEngine(folder.path, "mongo");
    const first = processOf(folder.path, "mongo");
    await startEngine(folder.path, "mongo");
    expect(processOf(folder.path, "mongo")).toEqual(first);
  });

  it("is killed without a graceful stop, and killing it again has no effect", async () => {
    await using folder = await folderOf(["mongo"]);
    await startEngine(folder.path, "mongo");
    const { pid, startTime } = processOf(folder.path, "mongo")!;
    await killEngine(folder.path, "mongo");
    await killEngine(folder.path, "mongo");
    expect(isRunning({ pid, startTime })).toBe(false);
    expect(existsSync(join(folder.path, "ended"))).toBe(false);
  });

  it("that ends at its start is reported with its output", async () => {
    await using folder = await folderOf(["connect"], `console.log("no such topic"); process.exit(3);`);
    await expect(startEngine(folder.path, "connect")).rejects.toThrow(
      /^connect: its process has ended\n.*connect\.out:\nno such topic$/,
    );
  });

  it("whose program is missing is reported by name", async () => {
    await using folder = await folderOf(["connect"]);
    const state = readState(folder.path);
    const [engine] = state.engines;
    writeState(folder.path, {
      ...state,
      engines: [{ spec: { ...engine!.spec, command: "no-such-program" } }],
    });
    await expect(startEngine(folder.path, "connect")).rejects.toThrow("no-such-program cannot be run");
  });

  it("keeps the output of its last three starts and the current one", async () => {
    await using folder = await folderOf(["mongo"]);
    const { output } = engineFiles(folder.path, "mongo");
    for (let i = 0; i < 5; i += 1) {
      await startEngine(folder.path, "mongo");
      writeFileSync(output, `start ${i}`);
      await killEngine(folder.path, "mongo");
    }
    expect([output, `${output}.1`, `${output}.3`].map((file) => readFileSync(file, "utf8"))).toEqual([
      "start 4",
      "start 3",
      "start 1",
    ]);
    expect(existsSync(`${output}.4`)).toBe(false);
  });
});

describe("the engines of a folder", () => {
  it("end in order: Spark, Connect, Kafka, the database", async () => {
    await using folder = await folderOf(["kafka-1", "mongo", "connect", "spark"]);
    await Promise.all(
      (["kafka-1", "mongo", "connect", "spark"] as const).map((name) => startEngine(folder.path, name)),
    );
    await endEngines(folder.path);
    expect(readFileSync(join(folder.path, "ended"), "utf8")).toBe("spark\nconnect\nkafka-1\nmongo\n");
    expect(await statesOf(folder.path)).toEqual(["stopped", "stopped", "stopped", "stopped"]);
  });

  it("that have ended are not confused with another process that has their id", async () => {
    await using folder = await folderOf(["mongo"]);
    await startEngine(folder.path, "mongo");
    const { pid, startTime } = processOf(folder.path, "mongo")!;
    const state = readState(folder.path);
    const [engine] = state.engines;
    writeState(folder.path, {
      ...state,
      engines: [{ spec: engine!.spec, process: { pid, startTime: "another boot:1" } }],
    });
    await endEngines(folder.path);
    expect(isRunning({ pid, startTime })).toBe(true);
    writeState(folder.path, state);
  });

  it("in a state file of another version are rejected, by name", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "engines.json"), JSON.stringify({ version: 0 }));
    expect(() => readState(folder.path)).toThrow("engines.json was written by another version");
  });

  it("are unready, with the reason, while they do not answer", async () => {
    await using folder = await folderOf(["connect"]);
    await startEngine(folder.path, "connect");
    const refusing = createServer((_, response) => response.writeHead(503).end()).listen(0, "127.0.0.1");
    await expect.poll(() => refusing.listening).toBe(true);
    const state = readState(folder.path);
    const [engine] = state.engines;
    const url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/`;
    const spec = { ...engine!.spec, probe: { kind: "http", url } as const };
    writeState(folder.path, { ...state, engines: [{ ...engine!, spec }] });
    expect(await readEnginesStatus(folder.path)).toEqual([
      expect.objectContaining({ state: "unready", reason: "status 503" }),
    ]);
    refusing.close();
  });
});
