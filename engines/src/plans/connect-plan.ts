import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import { javaArguments } from "../install/java-command.ts";
import { workerHeapMebibytes } from "../limits.ts";
import { kafkaAddresses } from "./kafka-plan.ts";
import type { PlanContext } from "./plan-context.ts";

/** The folder with files from which connectors may read passwords, as `${directory:FOLDER:FILE}` in a setting. */
export function secretsFolderOf(folder: string): string {
  return join(folder, "secrets");
}

/** Returns the specification of a worker of Kafka Connect beside its brokers. */
export function connectSpec(context: PlanContext, brokers: number): EngineSpec {
  const files = engineFiles(context.folder, "connect");
  const port = context.ports.connect;
  const secretsFolder = secretsFolderOf(context.folder);
  mkdirSync(secretsFolder, { recursive: true, mode: 0o700 });
  context.writeConfig("connect-worker.properties", `${files.config}.properties`, {
    kafkaBrokers: kafkaAddresses(context, brokers).join(","),
    listenHost: "127.0.0.1",
    advertisedHost: "127.0.0.1",
    port,
    pluginFolder: `${context.homes.kafka}/plugins`,
    replication: brokers,
    secretsFolder,
  });
  return {
    name: "connect",
    needs: (["kafka-1", "kafka-2", "kafka-3"] as const).slice(0, brokers),
    command: "java",
    args: [
      ...javaArguments({
        engine: "connect",
        java: context.java,
        classPath: `${context.homes.kafka}/lib/*`,
        heapMebibytes: workerHeapMebibytes,
        logFile: files.log,
      }),
      "org.apache.kafka.connect.cli.ConnectDistributed",
      `${files.config}.properties`,
    ],
    workFolder: context.folder,
    // The worker can list connectors only after it has joined its group and read its topics.
    probe: { kind: "http", url: `http://127.0.0.1:${port}/connectors` },
    address: `http://127.0.0.1:${port}`,
    logFile: files.log,
    outputFile: files.output,
    readyLimitMs: 180_000,
    stopGraceMs: 20_000,
  };
}
