import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Stack } from "../../testing/stack-fixture.ts";
import { deploymentWaves } from "./deployment-waves.ts";
import { createDocker } from "./docker.ts";
import { mergedConfig } from "./merged-config.ts";
import { stackFiles } from "./stack-files.ts";

const docker = createDocker({ env: process.env, variables: {}, dryRun: false, report: () => {} });
const whole = mergedConfig(docker, stackFiles("swarm"));
const waves = deploymentWaves(whole);

describe("replacing members of clusters", () => {
  it("replaces one broker and one member of the database at a time, the last ones with the rest", () => {
    expect(waves.map(({ services }) => services)).toEqual([
      ["kafka-1", "mongo-1"],
      ["kafka-2", "mongo-2"],
    ]);
  });

  it("needs no waves if there is one of each", () => {
    expect(deploymentWaves(mergedConfig(docker, stackFiles("single")))).toEqual([]);
  });

  it("deploys exactly the same services as the whole file", () => {
    using folder = temporaryFolder();
    const { services, configs, secrets } = parse(whole) as Stack;
    for (const [place, wave] of waves.entries()) {
      const file = join(folder.path, `${place}.yml`);
      writeFileSync(file, wave.text);
      const read = parse(docker.read(["stack", "config", "-c", file])) as Stack;
      expect(Object.keys(read.services)).toEqual(wave.services);
      for (const name of wave.services) expect(read.services[name]).toEqual(services[name]);
      for (const [key, value] of Object.entries(read.configs)) expect(value).toEqual(configs[key]);
      for (const [key, value] of Object.entries(read.secrets)) expect(value).toEqual(secrets[key]);
      const mounted = wave.services
        .flatMap((name) => services[name]?.configs ?? [])
        .map(({ source }) => source);
      expect(Object.keys(read.configs).sort()).toEqual([...new Set(mounted)].sort());
    }
  });

  it("keeps a literal dollar sign", () => {
    using folder = temporaryFolder();
    const stack = (name: string) => ({
      image: "a:1.0.0",
      environment: { A: "$" + "{directory:/x:y}", B: "$$x" },
      name,
    });
    const merged = JSON.stringify({
      services: Object.fromEntries(
        ["kafka-1", "kafka-2"].map((name) => [name, { ...stack(name), name: undefined }]),
      ),
    });
    const file = join(folder.path, "wave.yml");
    writeFileSync(file, deploymentWaves(merged)[0]?.text ?? "");
    const { services } = parse(docker.read(["stack", "config", "-c", file])) as Stack;
    expect(services["kafka-1"]?.environment).toEqual({ A: "$" + "{directory:/x:y}", B: "$$x" });
  });
});
