import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Deployment, deploy, singleNodeLabels } from "./deploy.ts";
import { createDocker, type Docker, DockerError } from "./docker.ts";
import { projectFolder } from "./stack-files.ts";

const real = createDocker({ env: process.env, variables: {}, dryRun: false, say: () => {} });

/** Docker's own client where it needs no engine; the rest is written down. */
function recordedDocker(
  options: { readonly running?: boolean; readonly fails?: RegExp; readonly node?: string } = {},
) {
  const ran: string[] = [];
  const docker: Docker = {
    read(args) {
      const line = args.join(" ");
      if (line.startsWith("stack config")) return real.read(args);
      if (line.startsWith("service ls")) return options.running === true ? "abc\ndef\n" : "";
      if (line.startsWith("info")) return `${options.node ?? ""}\n`;
      throw new Error(`unexpected: docker ${line}`);
    },
    run(args) {
      const line = args.join(" ");
      ran.push(line);
      if (options.fails?.test(line)) throw new DockerError("it was rolled back");
    },
  };
  return { docker, ran };
}

const deployment = (docker: Docker, changes: Partial<Deployment> = {}): Deployment => ({
  shape: "swarm",
  config: { name: "mesh", dryRun: false },
  docker,
  missing: [],
  say: () => {},
  ...changes,
});

describe("deploying", () => {
  it("starts a new stack at once: brokers need each other to start", () => {
    const { docker, ran } = recordedDocker();
    deploy(deployment(docker));
    expect(ran).toHaveLength(1);
    expect(ran[0]).toMatch(/^stack deploy --detach=true --prune .*-c docker-stack.yml mesh$/);
  });

  it("updates a running one by replacing brokers and the database's members one after another, and waits", () => {
    const { docker, ran } = recordedDocker({ running: true });
    deploy(deployment(docker));
    expect(ran).toHaveLength(3);
    for (const line of ran.slice(0, 2)) {
      expect(line).toContain("--detach=false");
      // What is not in the file would be removed.
      expect(line).not.toContain("--prune");
    }
    const files = ran.slice(0, 2).map((line) => /-c (\S+) mesh$/.exec(line)?.[1] as string);
    const deployed = files.map((file) =>
      Object.keys((parse(readFileSync(join(projectFolder, file), "utf8")) as { services: object }).services),
    );
    expect(deployed).toEqual([
      ["kafka-1", "mongo-1"],
      ["kafka-2", "mongo-2"],
    ]);
    expect(ran[2]).toContain("--prune");
  });

  it("leaves the others alone when a member does not come back", () => {
    const { docker, ran } = recordedDocker({ running: true, fails: /wave-1/ });
    expect(() => deploy(deployment(docker))).toThrow("it was rolled back");
    expect(ran).toHaveLength(1);
  });

  it("gives the one node of the overlay its labels, and deploys it in one", () => {
    const { docker, ran } = recordedDocker({ running: true, node: "n0de" });
    deploy(deployment(docker, { shape: "single" }));
    expect(ran).toHaveLength(2);
    for (const label of singleNodeLabels) expect(ran[0]).toContain(`--label-add ${label}`);
    expect(ran[0]).toMatch(/ n0de$/);
    expect(ran[1]).toMatch(/-c docker-stack.yml -c docker-stack.single.yml mesh$/);
  });

  it("says what to do when the machine is in no Swarm", () => {
    const { docker, ran } = recordedDocker({ node: "" });
    expect(() => deploy(deployment(docker, { shape: "single" }))).toThrow("docker swarm init");
    expect(ran).toEqual([]);
  });

  it("says what to do when there are no secrets, and runs nothing", () => {
    const { docker, ran } = recordedDocker();
    const missing = [
      { kind: "secrets", key: "spark_token", file: "stack/secrets/spark_token", variable: "X" },
    ] as const;
    expect(() => deploy(deployment(docker, { missing }))).toThrow(
      /1 file is missing \(stack\/secrets\/spark_token\): run `npm run stack:secrets/,
    );
    expect(ran).toEqual([]);
  });
});
