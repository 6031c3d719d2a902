import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { labOverlay } from "../../lab/swarm/overlay.ts";
import { createDocker } from "../../src/deploy/docker.ts";
import { mergedConfig } from "../../src/deploy/merged-config.ts";
import { stackFiles } from "../../src/deploy/stack-files.ts";
import type { Stack } from "../stack-fixture.ts";

const docker = createDocker({ env: process.env, variables: {}, dryRun: false, report: () => {} });

describe.each(["swarm", "single"] as const)("the lab's overlay, merged by Docker (%s)", (shape) => {
  using folder = temporaryFolder();
  const plain = mergedConfig(docker, stackFiles(shape));
  const file = join(folder.path, "lab.yml");
  writeFileSync(file, labOverlay(plain, join(folder.path, "url")));
  const before = parse(plain) as Stack;
  const after = parse(mergedConfig(docker, [...stackFiles(shape), file])) as Stack;

  it("removes features that this kernel lacks: virtual addresses and encryption", () => {
    for (const [name, { deploy }] of Object.entries(after.services)) {
      expect([name, deploy.endpoint_mode]).toEqual([name, "dnsrr"]);
    }
    for (const { driver_opts } of Object.values(after.networks)) expect(driver_opts ?? {}).toEqual({});
    const isInternal = (stack: Stack) =>
      Object.values(stack.networks).map(({ internal = false }) => internal);
    expect(isInternal(after)).toEqual(isInternal(before));
  });

  it("leaves out unavailable services, and nothing else", () => {
    const gone = Object.keys(after.services).filter((name) => {
      const had = before.services[name]?.deploy.replicas !== 0;
      return had && after.services[name]?.deploy.replicas === 0;
    });
    const always = ["grafana", "mongo-init", "prometheus"];
    expect(gone.sort()).toEqual(shape === "single" ? always : [...always, "mongo-2", "mongo-3"].sort());
  });

  it("keeps commands, images, rights, ports and health checks", () => {
    for (const [name, service] of Object.entries(after.services)) {
      const same = before.services[name];
      for (const key of ["command", "image", "read_only", "cap_drop", "ports"] as const) {
        expect([name, key, service[key]]).toEqual([name, key, same?.[key]]);
      }
      expect(service.healthcheck?.test).toEqual(same?.healthcheck?.test);
    }
  });
});
