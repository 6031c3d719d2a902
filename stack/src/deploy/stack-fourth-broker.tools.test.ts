import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import type { Stack } from "../../testing/stack-fixture.ts";
import { deploymentWaves } from "./deployment-waves.ts";
import { createDocker } from "./docker.ts";
import { mergedConfig } from "./merged-config.ts";
import { projectFolder, stackFiles } from "./stack-files.ts";

const docker = createDocker({ env: process.env, variables: {}, dryRun: false, report: () => {} });
const overlay = join(projectFolder, "stack/fourth-broker.yml");
const merged = mergedConfig(docker, [...stackFiles("swarm"), overlay]);
const { services } = parse(merged) as Stack;

it("the fourth broker has the settings of the others, and its own name, node, volume and configuration", () => {
  const { "kafka-1": first, "kafka-4": fourth } = services;
  const own = JSON.parse(
    JSON.stringify(first).replaceAll("kafka-1", "kafka-4").replaceAll("kafka_1", "kafka_4"),
  ) as typeof first;
  expect(fourth).toEqual({
    ...own,
    environment: { ...own?.environment, KAFKA_CONTROLLER_PORT: "9092" },
    deploy: { ...own?.deploy, placement: { constraints: ["node.labels.devicemesh.kafka == 4"] } },
  });
});

it("is replaced alone, before the rest of the stack", () => {
  expect(deploymentWaves(merged).map(({ services }) => services)).toEqual([
    ["kafka-1", "mongo-1"],
    ["kafka-2", "mongo-2"],
    ["kafka-3", "mongo-3"],
  ]);
});
