import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createLogger, type LogLevel, silentLogger } from "./logger.ts";

function collect(level: LogLevel) {
  const lines: string[] = [];
  const logger = createLogger({ name: "test", level, destination: { write: (line) => lines.push(line) } });
  return { logger, lines };
}

describe("createLogger", () => {
  it("writes one JSON line per event, with time, level name, name, message and fields", () => {
    const { logger, lines } = collect("info");
    logger.info({ port: 1 }, "listening");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    const { time, ...event } = JSON.parse(lines[0]!);
    expect(event).toEqual({ level: "info", name: "test", port: 1, msg: "listening" });
    expect(new Date(time).toISOString()).toBe(time);
  });

  it("writes from its level upwards", () => {
    const { logger, lines } = collect("warn");
    logger.trace("a");
    logger.debug("b");
    logger.info("c");
    logger.warn("d");
    logger.error("e");
    logger.fatal("f");
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(["warn", "error", "fatal"]);
  });

  it("writes nothing when silent", () => {
    const { logger, lines } = collect("silent");
    logger.fatal("a");
    silentLogger().fatal("a");
    expect(lines).toEqual([]);
  });

  it("writes an error with its stack and its cause, on one line", () => {
    const { logger, lines } = collect("info");
    logger.error({ error: new Error("outer", { cause: new Error("inner") }) }, "failed");
    expect(lines[0]!.trim()).not.toContain("\n");
    const { error } = JSON.parse(lines[0]!);
    expect(error).toMatchObject({ message: "outer", cause: { message: "inner" } });
    expect(error.stack).toContain("logger.test");
  });

  it("adds a child's fields to each of its events", () => {
    const { logger, lines } = collect("info");
    logger.child({ part: "one" }).info("a");
    logger.info("b");
    expect(lines.map((line) => JSON.parse(line).part)).toEqual(["one", undefined]);
  });

  it("writes to stderr before the call returns, so that a killed process loses no line", async () => {
    const module = fileURLToPath(new URL("logger.ts", import.meta.url));
    const script = `
      import { createLogger } from ${JSON.stringify(module)};
      const logger = createLogger({ name: "child", level: "info" });
      for (let i = 1; i <= 1000; i += 1) logger.info({ i }, "last words");
      process.kill(process.pid, "SIGKILL");`;
    const child = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    const { stdout, stderr, signal } = await child.catch((error) => error);
    expect({ stdout, signal }).toEqual({ stdout: "", signal: "SIGKILL" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(1000);
    expect(JSON.parse(lines.at(-1))).toMatchObject({ name: "child", i: 1000, msg: "last words" });
  });
});
