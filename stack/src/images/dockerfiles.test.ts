import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectFolder } from "../deploy/stack-files.ts";
import { withoutDigests } from "../digests/image-references.ts";

const names = ["services", "spark", "kafka", "envoy"] as const;
const textOf = (name: string): string =>
  readFileSync(join(projectFolder, `stack/images/${name}.Dockerfile`), "utf8");
const json = <T>(path: string): T => JSON.parse(readFileSync(join(projectFolder, path), "utf8")) as T;

/** The images that a Dockerfile starts from, except its own stages. */
function basesOf(name: string): readonly string[] {
  const stages = [...withoutDigests(textOf(name)).matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)];
  const own = stages.map(([, , alias]) => alias);
  return stages.flatMap(([, base]) => (base === undefined || own.includes(base) ? [] : [base]));
}

const services = ["ingest", "query", "gateway", "generator", "operator", "aggregator", "stack"];

/** The workspaces and npm packages that these need at run time. */
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
    const files = readdirSync(join(projectFolder, "stack/images")).filter((file) =>
      file.endsWith(".Dockerfile"),
    );
    expect(files.sort()).toEqual(names.map((name) => `${name}.Dockerfile`).sort());
  });

  it.each(names)("of %s names exact versions, and no registry", (name) => {
    expect(basesOf(name).length).toBeGreaterThan(0);
    for (const base of basesOf(name)) expect(base).toMatch(/^[a-z-]+:\d+\.\d+[A-Za-z0-9._-]*$/);
  });

  it("of the services has the Node version of development", () => {
    const { optionalDependencies } = json<{ optionalDependencies: Record<string, string> }>("package.json");
    const versions = new Set(Object.values(optionalDependencies));
    expect([...versions]).toHaveLength(1);
    expect(basesOf("services")[0]).toBe(`node:${[...versions][0]}-bookworm-slim`);
  });

  it("of Spark and Kafka have the same Java, as new as the engines require", () => {
    expect(basesOf("spark")).toEqual(basesOf("kafka"));
    for (const base of basesOf("spark")) expect(base).toMatch(/17/);
  });

  it("of the services copies exactly the workspaces that these need at run time", () => {
    const text = textOf("services");
    const copied = (pattern: RegExp): string[] =>
      [...text.matchAll(pattern)].map(([, name]) => name ?? "").sort();
    const needed = [...neededAtRunTime(services)].sort();
    expect(copied(/^COPY ([a-z0-9-]+)\/package\.json /gm)).toEqual(needed);
    expect(copied(/^COPY ([a-z0-9-]+)\/ \1\/$/gm)).toEqual(needed);
  });
});
