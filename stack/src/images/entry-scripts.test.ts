import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listenerNames, type Ports } from "@devicemesh/engines/engine-names";
import type { EngineSpec } from "@devicemesh/engines/engine-spec";
import { planEngines } from "@devicemesh/engines/plans/plan-engines";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { projectFolder as checkout } from "../deploy/stack-files.ts";

const moduleOptions = "-XX:+IgnoreUnrecognizedVMOptions --add-opens=java.base/java.lang=ALL-UNNAMED -Da=b";

/** The scripts' defaults; the private port of a container may equal another's. */
const ports: Ports = {
  ...(Object.fromEntries(listenerNames.map((name, index) => [name, 30_001 + index])) as Ports),
  connect: 8083,
  spark: 15_002,
  "spark-master": 7077,
  "spark-master-page": 8080,
  "spark-worker-1": 7078,
  "spark-worker-1-page": 8081,
};

/** The commands of natively installed engines, with the paths of the images. */
function planned(folder: string, name: EngineSpec["name"]): string[] {
  const engines = join(folder, "engines");
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "module-options.txt"), `${moduleOptions}\n`);
  const { specs } = planEngines({
    folder: engines,
    ports,
    options: { folder: engines, parts: ["kafka", "connect", "spark:cluster"] },
    installed: {
      kafka: home,
      spark: home,
      python: home,
      javaVersion: "17",
      mongo: () => ({ kind: "stand-in", command: "stand-in" }),
    },
    archives: { kind: "use", file: () => join(folder, "no-archive") },
  });
  const spec = specs.find((other) => other.name === name)!;
  const args = spec.command === "java" ? spec.args : spec.args.slice(spec.args.indexOf("java") + 1);
  return args
    .filter((argument) => !/^-Dengine\.(appender|log)=/.test(argument))
    .map((argument) =>
      argument
        .replace(/^-Dlog4j2\.configurationFile=.*/, "-Dlog4j2.configurationFile=/image/config/log4j2.xml")
        .replace(`${home}/jars/*`, "/image/spark/jars/*")
        .replace(`${home}/lib/*`, "/image/kafka/lib/*")
        .replace(`${engines}/data/spark-worker-1`, "/state/work")
        .replace(`${engines}/data/spark-master/recovery`, "/state/recovery")
        .replace(`${engines}/config/connect.properties`, "/own/connect-worker.properties"),
    );
}

/** Runs a script of stack/images with a java that only prints its arguments. */
function reported(
  folder: string,
  script: "spark" | "kafka",
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  for (const name of ["bin", "own", "image/config", "image/spark"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "bin/java"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  writeFileSync(join(folder, "image/spark/module-options.txt"), `${moduleOptions}\n`);
  const { status, stdout, stderr } = spawnSync(
    "bash",
    [join(checkout, `stack/images/${script}-entry.sh`), ...args],
    {
      encoding: "utf8",
      env: {
        PATH: `${join(folder, "bin")}:${process.env.PATH}`,
        TMPDIR: join(folder, "own"),
        DEVICEMESH_HOME: join(folder, "image"),
        DEVICEMESH_STATE: "/state",
        ...env,
      },
    },
  );
  const lines = stdout
    .replaceAll(join(folder, "image"), "/image")
    .replaceAll(join(folder, "own"), "/own")
    .split("\n")
    .slice(0, -1);
  return { status, lines, stderr };
}

describe("the entry script of Spark", () => {
  it.each([
    ["master", "spark-master", {}],
    ["worker", "spark-worker-1", { SPARK_MASTER_URL: "spark://127.0.0.1:7077" }],
    ["connect", "spark", {}],
  ] as const)("starts %s with the arguments of development", (part, engine, env) => {
    using folder = temporaryFolder();
    const expected = planned(folder.path, engine);
    mkdirSync(join(folder.path, "image/config"), { recursive: true });
    copyFileSync(
      join(folder.path, "engines/config/spark.conf"),
      join(folder.path, "image/config/spark-defaults.conf"),
    );
    const { status, lines } = reported(folder.path, "spark", [part], {
      DEVICEMESH_ADDRESS: "127.0.0.1",
      ...env,
    });
    expect(status).toBe(0);
    expect(lines).toEqual(expected);
    expect(lines.length).toBeGreaterThan(10);
  });

  it("reads the configuration like Spark", () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "image/config"), { recursive: true });
    writeFileSync(
      join(folder.path, "image/config/spark-defaults.conf"),
      "# a comment\n\nspark.a  1 2 \nspark.b=3=4\n  spark.c\t$5\n",
    );
    const { lines } = reported(folder.path, "spark", ["connect"]);
    expect(lines.filter((line) => line.startsWith("-Dspark."))).toEqual([
      "-Dspark.a=1 2",
      "-Dspark.b=3=4",
      "-Dspark.c=$5",
    ]);
  });

  it("reads sizes and addresses from the environment", () => {
    using folder = temporaryFolder();
    const { lines } = reported(folder.path, "spark", ["worker"], {
      DEVICEMESH_ADDRESS: "10.0.1.7 10.0.2.7",
      DEVICEMESH_HEAP: "200m",
      SPARK_WORKER_CORES: "4",
      SPARK_WORKER_MEMORY: "6g",
    });
    const text = lines.join(" ");
    expect(text).toContain("-Xmx200m");
    expect(text).toContain("--host 10.0.1.7 --port 7078");
    expect(text).toContain("--cores 4 --memory 6g");
    expect(text).toMatch(/ spark:\/\/spark-master:7077$/);
  });
});

describe("the entry script of Kafka", () => {
  it("formats a broker's folder and starts it with the arguments of development", () => {
    using folder = temporaryFolder();
    const expected = planned(folder.path, "kafka-1").map((argument) =>
      argument
        .replace("-Xmx384m", "-Xmx700m")
        .replace(join(folder.path, "engines/config/kafka-1.properties"), "/image/config/broker.properties"),
    );
    const env = { DEVICEMESH_HEAP: "700m", KAFKA_CLUSTER_ID: "an-id" };
    const { status, lines } = reported(folder.path, "kafka", ["broker"], env);
    expect(status).toBe(0);
    const start = lines.indexOf("-Xmx700m");
    const [format, run] = [lines.slice(0, start), lines.slice(start)];
    expect(run).toEqual(expected);
    expect(format.slice(format.indexOf("kafka.tools.StorageTool"))).toEqual([
      ...["kafka.tools.StorageTool", "format", "--cluster-id", "an-id"],
      ...["--config", "/image/config/broker.properties", "--ignore-formatted"],
    ]);
  });

  it("starts no broker without the id of its cluster", () => {
    using folder = temporaryFolder();
    const { status, lines, stderr } = reported(folder.path, "kafka", ["broker"]);
    expect(status).not.toBe(0);
    expect(lines).toEqual([]);
    expect(stderr).toContain("KAFKA_CLUSTER_ID");
  });

  it("starts a worker with the arguments of development, and lets it advertise its own address", () => {
    using folder = temporaryFolder();
    const expected = planned(folder.path, "connect");
    mkdirSync(join(folder.path, "image/config"), { recursive: true });
    const given = readFileSync(join(folder.path, "engines/config/connect.properties"), "utf8");
    writeFileSync(join(folder.path, "image/config/connect-worker.properties"), given.trimEnd());
    const { status, lines } = reported(folder.path, "kafka", ["connect"], { DEVICEMESH_ADDRESS: "10.0.1.7" });
    expect(status).toBe(0);
    expect(lines).toEqual(expected);
    const own = readFileSync(join(folder.path, "own/connect-worker.properties"), "utf8");
    expect(own).toBe(`${given.trimEnd()}\nrest.advertised.host.name=10.0.1.7\n`);
  });

  it("finds its address by the name of its host", () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "image/config"), { recursive: true });
    writeFileSync(join(folder.path, "image/config/connect-worker.properties"), "a=b\n");
    mkdirSync(join(folder.path, "bin"));
    writeFileSync(join(folder.path, "bin/hostname"), '#!/bin/sh\necho "$1 10.0.1.8 "\n', { mode: 0o755 });
    reported(folder.path, "kafka", ["connect"]);
    const own = readFileSync(join(folder.path, "own/connect-worker.properties"), "utf8");
    expect(own).toContain("rest.advertised.host.name=-i\n");
  });
});

describe.each(["spark", "kafka"] as const)("the entry script of %s", (script) => {
  it("prints its usage, and exits with 2 for an unknown argument", () => {
    using folder = temporaryFolder();
    const help = reported(folder.path, script, []);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    expect(help.lines[0]).toMatch(/^Usage: /);
    const wrong = reported(folder.path, script, ["conect"]);
    expect(wrong).toMatchObject({ status: 2, lines: [] });
    expect(wrong.stderr).toContain("Usage: ");
  });

  it("exits with 1 and a message when its part does not answer", () => {
    using folder = temporaryFolder();
    for (const part of script === "spark" ? ["master", "worker", "connect"] : ["broker", "connect"]) {
      const free = {
        SPARK_MASTER_WEBUI_PORT: "9",
        SPARK_WORKER_WEBUI_PORT: "9",
        SPARK_CONNECT_PORT: "9",
        CONNECT_PORT: "9",
        KAFKA_CONTROLLER_PORT: "9",
      };
      const { status, lines } = reported(folder.path, script, ["healthy", part], free);
      expect(status).toBe(1);
      expect(lines.at(-1)).toMatch(/not alive|not registered|does not listen|does not list/);
    }
  });
});
