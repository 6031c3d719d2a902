import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { createDocker } from "./docker.ts";

/** A `docker` that prints this to standard error, and exits with 1. */
function failingDocker(folder: string, output: string) {
  const file = join(folder, "docker");
  writeFileSync(file, `#!/bin/sh\necho '${output}' >&2\nexit 1\n`);
  chmodSync(file, 0o755);
  return createDocker({ env: { PATH: folder }, variables: {}, dryRun: false, report: () => {} });
}

describe("Docker's client", () => {
  it.each([
    ['This node is not a swarm manager. Use "docker swarm init"', "docker swarm init"],
    ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "no Docker engine runs here"],
    ["failed to update config x: only updates to Labels are allowed", "npm run stack:deploy"],
  ])("%s: the message names the solution, and contains the output", (output, fix) => {
    using folder = temporaryFolder();
    const docker = failingDocker(folder.path, output);
    for (const call of [() => docker.read(["stack", "ls"]), () => docker.run(["stack", "ls"])]) {
      expect(call).toThrow(fix);
      expect(call).toThrow(output);
    }
  });

  it("that is missing is reported, with how to install it", () => {
    using folder = temporaryFolder();
    const docker = createDocker({
      env: { PATH: folder.path },
      variables: {},
      dryRun: false,
      report: () => {},
    });
    expect(() => docker.read(["stack", "config"])).toThrow(/docker is not on the PATH.*apt-get install/);
  });

  it("that is too old for stack config is reported", () => {
    using folder = temporaryFolder();
    const docker = failingDocker(folder.path, "unknown shorthand flag: c in -c");
    expect(() => docker.read(["stack", "config", "-c", "x"])).toThrow("too old");
  });

  it("is not run in a dry run; its commands are printed for a shell", () => {
    using folder = temporaryFolder();
    const output: string[] = [];
    const docker = createDocker({
      env: { PATH: folder.path },
      variables: {},
      dryRun: true,
      report: (line) => output.push(line),
    });
    docker.run(["service", "update", "--label-add", "a b='c'"]);
    expect(output).toEqual([String.raw`docker service update --label-add 'a b='\''c'\'''`]);
  });

  it("gets the variables of the stack instead of existing ones", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "docker");
    writeFileSync(file, '#!/bin/sh\necho "$ONE $TWO"\n');
    chmodSync(file, 0o755);
    const docker = createDocker({
      env: { PATH: folder.path, ONE: "1", TWO: "2" },
      variables: { TWO: "two" },
      dryRun: false,
      report: () => {},
    });
    expect(docker.read(["info"])).toBe("1 two\n");
  });
});
