import { randomBytes } from "node:crypto";
import type { EngineName, ListenerName } from "../engine-names.ts";
import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import { javaArguments } from "../install/java-command.ts";
import { brokerHeapMebibytes } from "../limits.ts";
import type { PlanContext } from "./plan-context.ts";

/** Returns the specifications of a cluster's brokers: one, or three with a replica of every partition on each. */
export function kafkaSpecs(context: PlanContext, brokers: number): EngineSpec[] {
  const nodes = Array.from({ length: brokers }, (_, i) => i + 1);
  return nodes.map((nodeId) => {
    const name = `kafka-${nodeId}` as EngineName & ListenerName;
    const files = engineFiles(context.folder, name);
    const port = context.ports[name];
    context.writeConfig("kafka-broker.properties", `${files.config}.properties`, {
      nodeId,
      port,
      controllerPort: controllerPort(context, nodeId),
      controllerVoters: nodes.map((id) => `${id}@127.0.0.1:${controllerPort(context, id)}`).join(","),
      listenHost: "127.0.0.1",
      advertisedHost: "127.0.0.1",
      dataFolder: files.data,
      replication: brokers,
      minInSyncReplicas: brokers > 1 ? 2 : 1,
    });
    return {
      name,
      needs: [],
      command: "java",
      args: [
        ...javaArguments({
          engine: "kafka",
          java: context.java,
          classPath: `${context.homes.kafka}/lib/*`,
          heapMebibytes: brokerHeapMebibytes,
          logFile: files.log,
          quickCompilerOnly: brokers > 1,
        }),
        "kafka.Kafka",
        `${files.config}.properties`,
      ],
      workFolder: context.folder,
      probe: { kind: "kafka", port, nodeId },
      address: `127.0.0.1:${port}`,
      logFile: files.log,
      outputFile: files.output,
      readyLimitMs: 120_000,
      stopGraceMs: 20_000,
    };
  });
}

/** host:port of each broker. */
export function kafkaAddresses(context: PlanContext, brokers: number): string[] {
  return Array.from({ length: brokers }, (_, i) => {
    return `127.0.0.1:${context.ports[`kafka-${i + 1}` as ListenerName]}`;
  });
}

/**
 * Returns an id for a new cluster, in the format of `kafka-storage random-uuid`: 16 random bytes in URL-safe base64.
 */
export function newClusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString("base64url");
    // A leading dash would make it look like a flag.
    if (!id.startsWith("-")) return id;
  }
}

/** Returns the arguments of `java` that format a broker's data folder; a formatted folder is not changed. */
export function formatArguments(context: PlanContext, name: string, clusterId: string): string[] {
  return [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-cp",
    `${context.homes.kafka}/lib/*`,
    "kafka.tools.StorageTool",
    "format",
    "--cluster-id",
    clusterId,
    "--config",
    `${engineFiles(context.folder, name).config}.properties`,
    "--ignore-formatted",
  ];
}

function controllerPort(context: PlanContext, nodeId: number): number {
  return context.ports[`kafka-${nodeId}-controller` as ListenerName];
}
