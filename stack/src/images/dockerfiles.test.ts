import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDockerfile, type Stage } from "../../testing/images/dockerfile.ts";
import { checkout } from "../../testing/images/image-fixture.ts";

const names = ["services", "spark", "connect"] as const;
const stagesOf = (name: string): Stage[] =>
  readDockerfile(readFileSync(join(checkout, `stack/images/${name}.Dockerfile`), "utf8"));
const json = <T>(path: string): T => JSON.parse(readFileSync(join(checkout, path), "utf8")) as T;

const services = ["ingest", "query", "generator", "operator", "aggregator", "stack"];

/** Workspaces that these need when they run, and what of npm. */
function neededAtRunTime(workspaces: readonly string[]): Set<string> {
  const needed = new Set<string>();
  const visit = (name: string): void => {
    if (needed.has(name)) return;
    needed.add(name);
    const { dependencies = {} } = json<{ dependencies?: Record<string, string> }>(`${name}/package.json`);
    for (const dependency of Object.keys(dependencies)) {
      if (dependency.startsWith("@devicemesh/")) visit(dependency.slice("@devicemesh/".length));
    }
  };
  for (const workspace of workspaces) visit(workspace);
  return needed;
}

describe("the Dockerfiles", () => {
  it("are those of stack/images", () => {
    const files = readdirSync(join(checkout, "stack/images")).filter((file) => file.endsWith(".Dockerfile"));
    expect(files.sort()).toEqual(names.map((name) => `${name}.Dockerfile`).sort());
  });

  it.each(names)("of %s names exact versions, and no registry", (name) => {
    const stages = stagesOf(name);
    const own = stages.map((stage) => stage.name);
    for (const { base } of stages.filter(({ base }) => !own.includes(base))) {
      expect(base).toMatch(/^[a-z-]+:\d+\.\d+\.\d+[A-Za-z0-9._-]*$/);
    }
  });

  it.each(names)("of %s ends as a user who is not root, and says what it is", (name) => {
    const steps = stagesOf(name).at(-1)!.steps;
    const users = steps.flatMap((step) => (step.kind === "user" ? [step.user] : []));
    expect(users).toEqual([name === "services" ? "node" : "devicemesh"]);
    const labels = steps.flatMap((step) => (step.kind === "label" ? [...step.values.keys()] : []));
    expect(labels.map((label) => label.replace("org.opencontainers.image.", ""))).toEqual([
      "title",
      "description",
      "version",
      "revision",
    ]);
  });

  it("of the services has the Node of development", () => {
    const { optionalDependencies } = json<{ optionalDependencies: Record<string, string> }>("package.json");
    const versions = new Set(Object.values(optionalDependencies));
    expect([...versions]).toHaveLength(1);
    expect(stagesOf("services")[0]!.base).toBe(`node:${[...versions][0]}-bookworm-slim`);
  });

  it("of Spark and Kafka Connect have one Java, as young as engines ask for", () => {
    const bases = ["spark", "connect"].map((name) => stagesOf(name).map(({ base }) => base));
    expect(bases[0]).toEqual(bases[1]);
    for (const base of bases.flat()) expect(base).toMatch(/17/);
  });

  it("of the services takes the workspaces that these need when they run, and no other", () => {
    const stages = stagesOf("services");
    const copied = (stage: string | undefined, pattern: RegExp): string[] =>
      stages
        .find(({ name }) => name === stage)!
        .steps.flatMap((step) => (step.kind === "copy" && step.from === undefined ? step.sources : []))
        .flatMap((source) => pattern.exec(source)?.[1] ?? []);
    const needed = [...neededAtRunTime(services)].sort();
    expect(copied("dependencies", /^([a-z0-9]+)\/package\.json$/).sort()).toEqual(needed);
    expect(copied("code", /^([a-z0-9]+)\/$/).sort()).toEqual(needed);
  });
});
