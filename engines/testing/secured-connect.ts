import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { installEngines } from "../src/install/install-engines.ts";
import { freePorts } from "../src/plans/free-ports.ts";
import { quickJava, startJava, writeProperties } from "./java-process.ts";

/**
 * Starts a worker of Kafka Connect whose clients connect to the brokers with `security`: properties of Kafka. Resolves
 * when it can run connectors.
 */
export async function startSecuredConnect(options: {
  readonly brokers: readonly string[];
  readonly security: Readonly<Record<string, string>>;
}): Promise<AsyncDisposable & { readonly connectUrl: string }> {
  const { brokers, security } = options;
  const { kafka } = await installEngines();
  const [port = 0] = await freePorts(1);
  await using started = new AsyncDisposableStack();
  const folder = started.use(temporaryFolder());
  const properties = join(folder.path, "worker.properties");
  const topics = ["config", "offset", "status"].flatMap((kind) => [
    [`${kind}.storage.topic`, `connect-${kind}`],
    [`${kind}.storage.replication.factor`, "1"],
  ]);
  // The worker's own clients, and those that it makes for connectors, have the same settings under several names.
  const clients = ["", "producer.", "consumer.", "admin."].flatMap((prefix) =>
    Object.entries(security).map(([name, value]) => [`${prefix}${name}`, value]),
  );
  writeProperties(properties, {
    "bootstrap.servers": brokers.join(","),
    "group.id": "secured-connect",
    listeners: `http://127.0.0.1:${port}`,
    "plugin.path": `${kafka}/plugins`,
    "plugin.discovery": "service_load",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "offset.storage.partitions": 1,
    "status.storage.partitions": 1,
    "offset.flush.interval.ms": 250,
    "connector.client.config.override.policy": "All",
    "config.providers": "directory",
    "config.providers.directory.class": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
    "config.providers.directory.param.allowed.paths": folder.path,
    ...Object.fromEntries([...topics, ...clients]),
  });
  const connectUrl = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${connectUrl}/connectors`).then(
      ({ ok }) => ok,
      () => false,
    );
  const args = [
    ...quickJava(`${kafka}/lib/*`),
    "org.apache.kafka.connect.cli.ConnectDistributed",
    properties,
  ];
  started.use(await startJava({ what: "Kafka Connect", args, folder: folder.path, isReady }));
  const owned = started.move();
  return { connectUrl, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
