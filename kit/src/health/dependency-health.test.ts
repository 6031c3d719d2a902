import { describe, expect, it } from "vitest";
import { createLogger } from "../observability/logger.ts";
import { createDependencies } from "./dependency-health.ts";
import { createHealth } from "./health.ts";

function watched() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const health = createHealth(["mongodb", "kafka"]);
  const logger = createLogger({ name: "test", level: "info", destination });
  return { lines, health, dependencies: createDependencies<"mongodb" | "kafka">({ logger, health }) };
}

describe("dependencies", () => {
  it("are logged once for each change, in one line without a stack trace", () => {
    const { lines, dependencies } = watched();
    for (const ms of [100, 2000]) dependencies.unavailable("mongodb", new Error(`no answer in ${ms} ms`));
    dependencies.unavailable("mongodb", new Error("ENOTFOUND"));
    for (const _ of [1, 2]) dependencies.available("mongodb");
    dependencies.available("kafka");
    expect(lines.map(({ msg, dependency, reason }) => [msg, dependency, reason])).toEqual([
      ["waiting for dependency", "mongodb", "no answer in 100 ms"],
      ["waiting for dependency", "mongodb", "ENOTFOUND"],
      ["dependency available", "mongodb", undefined],
      ["dependency available", "kafka", undefined],
    ]);
    expect(JSON.stringify(lines)).not.toContain("    at ");
  });

  it("are services of health, and problems while they are unavailable", () => {
    const { health, dependencies } = watched();
    dependencies.unavailable("kafka", new Error("refused"));
    dependencies.available("mongodb");
    expect(health.check("kafka")).toBe("NOT_SERVING");
    expect(health.check("mongodb")).toBe("SERVING");
    expect(dependencies.problems()).toEqual(["waiting for kafka: refused"]);
    dependencies.available("kafka");
    expect(health.check("kafka")).toBe("SERVING");
    expect(dependencies.problems()).toEqual([]);
  });
});
