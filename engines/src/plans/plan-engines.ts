import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { brokerCount, type Ports } from "../engine-names.ts";
import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import type { ArchiveUse } from "../install/class-archives.ts";
import type { InstalledEngines } from "../install/install-engines.ts";
import { archivingLimitMs } from "../limits.ts";
import type { EnginesOptions } from "../run/start-engines.ts";
import { connectSpec } from "./connect-plan.ts";
import { envoyCommand, envoySpec } from "./envoy-plan.ts";
import { formatArguments, kafkaAddresses, kafkaSpecs } from "./kafka-plan.ts";
import { mongoSpec } from "./mongo-plan.ts";
import { configFolder, type PlanContext, writeConfig } from "./plan-context.ts";
import { sparkClusterSpecs, sparkRecoveryFolder, sparkSpec } from "./spark-plan.ts";

/** The addresses of the engines; empty for those that were not requested. */
export type EngineAddresses = {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  /** host:port of Spark Connect. */
  readonly sparkUrl: string;
};

/** Planned engines: their configuration is written, and none runs yet. */
export type PlannedEngines = {
  readonly context: PlanContext;
  readonly options: EnginesOptions;
  /** In the order of their dependencies. */
  readonly specs: readonly EngineSpec[];
  readonly addresses: EngineAddresses;
};

/** Creates the specification of each engine, and writes its configuration. */
export function planEngines(given: {
  readonly folder: string;
  readonly ports: Ports;
  readonly options: EnginesOptions;
  readonly installed: InstalledEngines;
  readonly archives: ArchiveUse;
}): PlannedEngines {
  const { folder, ports, options, installed, archives } = given;
  const { parts, mongodbUrl, envoy } = options;
  const context: PlanContext = {
    folder,
    ports,
    homes: installed,
    java: { loggingFile: join(configFolder, "log4j2.xml"), archives },
    writeConfig,
  };
  const brokers = brokerCount(parts);
  const specs = [
    ...kafkaSpecs(context, brokers),
    ...(parts.includes("mongo") && mongodbUrl === undefined ? [mongoSpec(context, installed.mongo())] : []),
    ...(parts.includes("connect") ? [connectSpec(context, brokers)] : []),
    ...(parts.includes("spark") ? [sparkSpec(context)] : []),
    ...(parts.includes("spark:cluster") ? sparkClusterSpecs(context) : []),
    ...(parts.includes("envoy") && envoy ? [envoySpec(context, envoy)] : []),
  ];
  const addressOf = (name: string): string => specs.find((spec) => spec.name === name)?.address ?? "";
  return {
    context,
    options,
    specs:
      archives.kind === "write" ? specs.map((spec) => ({ ...spec, stopGraceMs: archivingLimitMs })) : specs,
    addresses: {
      kafkaBrokers: kafkaAddresses(context, brokers),
      connectUrl: addressOf("connect"),
      mongodbUrl: mongodbUrl ?? addressOf("mongo"),
      sparkUrl: addressOf("spark"),
    },
  };
}

/**
 * Creates missing data folders, removes what Spark's master would recover of a cluster that has ended, and lets Envoy
 * validate its configuration.
 * @throws Error with the output of the tool.
 */
export async function prepareEngines(planned: PlannedEngines, clusterId: string): Promise<void> {
  const { context, specs, options } = planned;
  await Promise.all(
    specs.map(async ({ name }) => {
      const { data } = engineFiles(context.folder, name);
      if (name.startsWith("kafka-") && !existsSync(join(data, "meta.properties"))) {
        await runTool("java", formatArguments(context, name, clusterId), name);
      }
      if (name === "spark-master") {
        rmSync(sparkRecoveryFolder(context.folder), { recursive: true, force: true });
      }
      if (name === "mongo") mkdirSync(data, { recursive: true });
      if (name === "envoy" && options.envoy) {
        const args = ["--mode", "validate", "--config-path", options.envoy.configFile];
        await runTool(envoyCommand(context.homes), args, `envoy: ${options.envoy.configFile}`);
      }
    }),
  );
}

/** Runs a program to its end. */
function runTool(command: string, args: readonly string[], what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => printed.push(String(chunk)));
    }
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${what}: exit code ${code}\n${printed.join("")}`)),
    );
  });
}
