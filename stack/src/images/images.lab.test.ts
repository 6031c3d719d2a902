import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImageEngine, startImageEngine } from "../../testing/images/image-engine.ts";
import { addedEntries, flawsOf, stateFolder } from "../../testing/images/image-files.ts";
import { brokenImports } from "../../testing/images/image-imports.ts";
import { configFolder, projectFolder } from "../deploy/stack-files.ts";

const images = [
  { name: "services", user: "node", addsMegabytes: 80 },
  { name: "kafka", user: "devicemesh", addsMegabytes: 90 },
  { name: "spark", user: "devicemesh", addsMegabytes: 420 },
  { name: "envoy", user: "devicemesh", addsMegabytes: 220 },
] as const;

/** The options of the stack, and no-new-privileges, which a stack file cannot contain. */
const restricted = [
  ...["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
  ...["--tmpfs", "/tmp", "--network", "none", "--init"],
];

describe("the images, built and run by Docker", () => {
  const folder = temporaryFolder();
  let builder: ImageEngine;
  const tags = new Map<string, string>();
  beforeAll(async () => {
    builder = await startImageEngine(process.env);
    for (const { name } of images) tags.set(name, await builder.build(name));
  }, 1_500_000);
  afterAll(async () => {
    await builder?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  }, 120_000);

  const tagOf = (name: string): string => tags.get(name) ?? name;
  const inspect = async (image: string): Promise<{ readonly Size: number; readonly Config: ImageConfig }> =>
    JSON.parse(await builder.engine.docker(["image", "inspect", "--format", "{{json .}}", image]));
  const baseOf = (name: string): string => {
    const text = readFileSync(join(projectFolder, `stack/images/${name}.Dockerfile`), "utf8");
    const stages = [...text.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)];
    const last = stages.at(-1)?.[1] ?? "";
    return stages.find(([, , alias]) => alias === last)?.[1] ?? last;
  };

  it.each(images)("$name runs as $user, and has labels", async ({ name, user }) => {
    const { Config } = await inspect(tagOf(name));
    expect(Config.User).toBe(user);
    expect(Config.Labels).toMatchObject({
      "org.opencontainers.image.title": expect.stringMatching(/^Device Mesh /),
      "org.opencontainers.image.version": "1.2.3",
      "org.opencontainers.image.revision": "abc",
    });
  });

  it.each(images)("$name adds less than $addsMegabytes MB to its base", async ({ name, addsMegabytes }) => {
    const [image, base] = [await inspect(tagOf(name)), await inspect(baseOf(name))];
    const added = (image.Size - base.Size) / 1e6;
    process.stdout.write(`images: ${name} adds ${added.toFixed(1)} MB to ${baseOf(name)}\n`);
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThan(addsMegabytes);
  });

  it.each(images)(
    "$name has no secret in a layer, and nothing that its user may change",
    async ({ name }) => {
      const entries = await addedEntries(builder, tagOf(name), baseOf(name), join(folder.path, name));
      expect(entries.length).toBeGreaterThan(3);
      expect(flawsOf(entries)).toEqual([]);
      const own = entries.filter(({ path, uid }) => path.startsWith(stateFolder) && uid !== 0);
      if (name !== "envoy") expect(own.map(({ path }) => path)).toContain(stateFolder);
    },
  );

  it("detects a flaw in a layer", () => {
    const entry = (path: string, mode: string, uid = 0) => ({ path, mode, uid });
    expect(
      flawsOf([
        entry("/opt/devicemesh/a", "-rwsr-xr-x"),
        entry("/opt/devicemesh/b.key", "-rw-r-----"),
        entry("/etc/c", "-rw-rw-rw-", 1000),
        entry("/opt/devicemesh/kit/src/a.test.ts", "-rw-r--r--"),
        entry(stateFolder, "drwxr-xr-x", 1000),
      ]),
    ).toEqual([
      "/opt/devicemesh/a: it runs with the rights of its owner",
      "/opt/devicemesh/b.key: its user may not read it",
      "/opt/devicemesh/b.key: it has the name of a secret",
      "/etc/c: every user may write it",
      "/etc/c: it belongs to user 1000",
      "/opt/devicemesh/kit/src/a.test.ts: it is for tests",
    ]);
  });

  it.each(images)("$name has no secret in its history", async ({ name }) => {
    const history = await builder.engine.docker([
      ...["history", "--no-trunc", "--format", "{{.CreatedBy}}", tagOf(name)],
    ]);
    expect(history.split("\n").length).toBeGreaterThan(3);
    expect(history).not.toMatch(/password|passwd=|token|secret|private key|_auth/i);
  });

  describe("services", () => {
    it("has everything that its code imports, and no development tool", async () => {
      const id = (await builder.engine.docker(["create", tagOf("services"), "true"])).trim();
      const copy = join(folder.path, "services-root");
      mkdirSync(copy);
      await builder.engine.docker(["cp", `${id}:/opt/devicemesh`, copy]);
      await builder.engine.docker(["rm", id]);
      expect(brokenImports(join(copy, "devicemesh"))).toEqual([]);
      const listed = await builder.engine.docker([
        ...["run", "--rm", "--network", "none", tagOf("services")],
        ...["ls", "/opt/devicemesh/node_modules"],
      ]);
      expect(listed).not.toMatch(/^(typescript|vitest|vite|fast-check|playwright-core|node-linux.*)$/m);
    }, 120_000);

    it("has programs that all start on a read-only root, and print their usage", async () => {
      const programs = [
        "ingest",
        "query",
        "gateway",
        "generator",
        "operator",
        "aggregator",
        "stack/src/replicas",
      ];
      const mains = programs.map((name) => (name.includes("/") ? `${name}/main.ts` : `${name}/src/main.ts`));
      for (const main of [...mains, "kit/src/health/probe-main.ts"]) {
        const help = await builder.engine.docker([
          ...["run", "--rm", ...restricted, tagOf("services")],
          ...["node", `/opt/devicemesh/${main}`, "--help"],
        ]);
        expect([main, help.slice(0, 7)]).toEqual([main, "Usage: "]);
      }
    }, 240_000);

    it("has a health check that its own program passes, and that fails without it", async () => {
      await using generator = await start("services", [], {
        command: [
          "node",
          "/opt/devicemesh/generator/src/main.ts",
          "serve",
          "--idle",
          "--target",
          "127.0.0.1:9",
        ],
      });
      const probe = ["node", "/opt/devicemesh/kit/src/health/probe-main.ts"];
      await generator.until([...probe, "127.0.0.1:8081", "--answering"]);
      expect((await generator.exec([...probe, "127.0.0.1:8082", "--answering"])).code).toBe(1);
    }, 120_000);
  });

  describe("kafka", () => {
    it("is a broker that becomes healthy, and keeps its volume's format", async () => {
      const config = join(configFolder, "single/kafka-1.properties");
      await using broker = await start(
        "kafka",
        [
          ...["--env", "KAFKA_CLUSTER_ID=ZGV2aWNlbWVzaC1zdGFjaw", "--env", "DEVICEMESH_HEAP=256m"],
          ...["--add-host", "kafka-1:127.0.0.1", "--volume", "kafka-test:/var/lib/devicemesh/kafka"],
          ...["--volume", `${config}:/opt/devicemesh/config/broker.properties:ro`],
        ],
        { command: ["broker"] },
      );
      await broker.until(["/opt/devicemesh/entry.sh", "healthy", "broker"]);
      await builder.engine.docker(["restart", broker.id]);
      await broker.until(["/opt/devicemesh/entry.sh", "healthy", "broker"]);
    }, 300_000);
  });

  describe("spark", () => {
    it("is a master that becomes healthy", async () => {
      await using master = await start(
        "spark",
        [
          ...["--hostname", "spark-master", "--add-host", "spark-master:127.0.0.1"],
          ...["--volume", "spark-test:/var/lib/devicemesh/recovery"],
        ],
        { command: ["master"] },
      );
      await master.until(["/opt/devicemesh/entry.sh", "healthy", "master"]);
    }, 300_000);
  });

  describe("envoy", () => {
    it("has Envoy, and a first process that drains it", async () => {
      const config = join(folder.path, "envoy.yaml");
      writeFileSync(
        config,
        "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }\n",
      );
      await using envoy = await start("envoy", ["--volume", `${config}:/etc/devicemesh/envoy.yaml:ro`], {
        command: ["9901", "0", "1", "envoy", "-c", "/etc/devicemesh/envoy.yaml", "--disable-hot-restart"],
      });
      const ready =
        "exec 3<>/dev/tcp/127.0.0.1/9901 && printf 'GET /ready HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep -q LIVE <&3";
      await envoy.until(["bash", "-c", ready]);
      await builder.engine.docker(["stop", "--time", "30", envoy.id]);
      const code = await builder.engine.docker(["inspect", "--format", "{{.State.ExitCode}}", envoy.id]);
      expect(code.trim()).toBe("0");
    }, 120_000);
  });

  type ImageConfig = { readonly User: string; readonly Labels: Readonly<Record<string, string>> };

  /** A container with the restrictions of the stack; removed with its volumes when disposed. */
  async function start(
    name: string,
    flags: readonly string[],
    { command }: { readonly command: readonly string[] },
  ) {
    const { engine, shell } = builder;
    const id = (
      await engine.docker(["run", "--detach", ...restricted, ...flags, tagOf(name), ...command])
    ).trim();
    const exec = (args: readonly string[]) =>
      shell.attempt(["docker", "exec", id, ...args], { env: { DOCKER_HOST: engine.host } });
    return {
      id,
      exec,
      async until(args: readonly string[]): Promise<void> {
        const ready = async () => (await exec(args)).code === 0;
        await waitUntil(ready, {
          timeoutMs: 120_000,
          everyMs: 500,
          what: `${name}: ${args.join(" ")}`,
        }).catch(async (error: Error) => {
          throw new Error(
            `${error.message}\n${(await shell.attempt(["docker", "logs", id], { env: { DOCKER_HOST: engine.host } })).stderr}`,
          );
        });
      },
      async [Symbol.asyncDispose]() {
        await engine.docker(["rm", "--force", "--volumes", id]);
      },
    };
  }
});
