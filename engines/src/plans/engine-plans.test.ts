import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { checkParts, type EnginePart, listenerNames, type Ports } from "../engine-names.ts";
import { choosePorts } from "./choose-ports.ts";
import { newClusterId } from "./kafka-plan.ts";
import { planEngines } from "./plan-engines.ts";
import { readProperties } from "./template.ts";

const ports = Object.fromEntries(listenerNames.map((name, i) => [name, 30_001 + i])) as Ports;

function planned(folder: string, parts: readonly EnginePart[], more: { readonly mongodbUrl?: string } = {}) {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "module-options.txt"), "--add-opens=java.base/java.lang=ALL-UNNAMED -Da=b\n");
  return planEngines({
    folder,
    ports,
    options: { folder, parts, ...more },
    installed: {
      kafka: home,
      spark: home,
      python: home,
      javaVersion: "17",
      mongo: () => ({ kind: "stand-in", command: "stand-in" }),
    },
    archives: { kind: "use", file: (engine) => join(home, engine) },
  });
}

const propertiesOf = (folder: string, file: string) =>
  readProperties(readFileSync(join(folder, "config", file), "utf8"));

describe("a plan", () => {
  it("of one broker keeps one copy of everything, of three brokers three", () => {
    using one = temporaryFolder();
    planned(one.path, ["kafka"]);
    const alone = propertiesOf(one.path, "kafka-1.properties");
    expect(alone.get("offsets.topic.replication.factor")).toBe("1");
    expect(alone.get("controller.quorum.voters")).toBe("1@127.0.0.1:30004");

    using three = temporaryFolder();
    const { addresses } = planned(three.path, ["kafka:3", "connect"]);
    const third = propertiesOf(three.path, "kafka-3.properties");
    expect(third.get("node.id")).toBe("3");
    expect(third.get("offsets.topic.replication.factor")).toBe("3");
    expect(third.get("min.insync.replicas")).toBe("2");
    expect(third.get("controller.quorum.voters")).toBe(
      "1@127.0.0.1:30004,2@127.0.0.1:30005,3@127.0.0.1:30006",
    );
    expect(addresses.kafkaBrokers).toEqual(["127.0.0.1:30001", "127.0.0.1:30002", "127.0.0.1:30003"]);
    expect(propertiesOf(three.path, "connect.properties").get("offset.storage.replication.factor")).toBe("3");
  });

  it("lets engines listen only on this machine", () => {
    using folder = temporaryFolder();
    const { specs } = planned(folder.path, ["kafka:3", "connect", "mongo", "spark:cluster"]);
    for (const { address } of specs) expect(address).toContain("127.0.0.1:");
    for (const file of ["kafka-1.properties", "connect.properties", "spark.conf"]) {
      expect(readFileSync(join(folder.path, "config", file), "utf8")).not.toContain("0.0.0.0");
    }
  });

  it("gives Spark's driver every line of its configuration", () => {
    using folder = temporaryFolder();
    const { specs } = planned(folder.path, ["spark"]);
    const args = specs[0]!.args;
    for (const [name, value] of propertiesOf(folder.path, "spark.conf")) {
      expect(args).toContain(`-D${name}=${value}`);
    }
    expect(args).toContain("-Dspark.master=local[2]");
    expect(args).toContain("--add-opens=java.base/java.lang=ALL-UNNAMED");
  });

  it("of a cluster starts the driver last, over the master", () => {
    using folder = temporaryFolder();
    const { specs } = planned(folder.path, ["spark:cluster"]);
    expect(specs.map(({ name }) => name)).toEqual([
      "spark-master",
      "spark-worker-1",
      "spark-worker-2",
      "spark",
    ]);
    expect(specs.at(-1)!.needs).toEqual(["spark-master", "spark-worker-1", "spark-worker-2"]);
    expect(specs.at(-1)!.args).toContain("-Dspark.master=spark://127.0.0.1:30012");
  });

  it("starts no database if one is given", () => {
    using folder = temporaryFolder();
    const { specs, addresses } = planned(folder.path, ["mongo"], { mongodbUrl: "mongodb://db:27017" });
    expect(specs).toEqual([]);
    expect(addresses.mongodbUrl).toBe("mongodb://db:27017");
  });

  it.each([
    [["kafka", "kafka:3"], "cannot be combined"],
    [["spark", "spark:cluster"], "cannot be combined"],
    [["connect"], "connect needs kafka"],
  ] as const)("of %j is rejected: %s", (parts, reason) => {
    expect(() => checkParts(parts)).toThrow(reason);
  });
});

describe("a cluster id", () => {
  it("is 22 characters of URL-safe base64 and does not look like a flag", () => {
    for (let i = 0; i < 200; i += 1) expect(newClusterId()).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
  });
});

describe("ports", () => {
  it("are the given ones, or the previous ones if they are free, or free ones, and unique", async () => {
    const first = await choosePorts({ given: {}, remembered: {} });
    expect(new Set(Object.values(first)).size).toBe(listenerNames.length);
    expect(await choosePorts({ given: {}, remembered: first })).toEqual(first);
    const given = { "kafka-1": first.mongo };
    const third = await choosePorts({ given, remembered: first });
    expect(third["kafka-1"]).toBe(first.mongo);
    expect(third.mongo).not.toBe(first.mongo);
  });

  it("that are given and in use are rejected by name", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await expect.poll(() => server.listening).toBe(true);
    const { port } = server.address() as { port: number };
    await expect(choosePorts({ given: { mongo: port }, remembered: {} })).rejects.toThrow(
      `port ${port} of mongo is already in use`,
    );
    server.close();
  });
});
