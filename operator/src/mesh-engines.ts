import { createKafka, type KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { createConnectRest } from "./connectors/connect-rest.ts";
import { readBrokerDisks } from "./disks/kafka-broker-disks.ts";
import { createAdminAccess } from "./kafka-admin.ts";

/** The addresses of the engines. */
export type EngineAddresses = {
  /** host:port of each bootstrap broker. */
  readonly kafkaBrokers: readonly string[];
  readonly kafkaSecurity?: KafkaSecurity | undefined;
  /** Kafka Connect's REST interface: `http://host:port`. */
  readonly connectUrl: string;
  readonly mongodbUrl: string;
};

/** The names of the engines in health and log. */
export const engineNames = ["kafka", "kafka-connect", "mongodb"] as const;

export type EngineName = (typeof engineNames)[number];

/** The engines of a mesh. */
export type MeshEngines = ReturnType<typeof openEngines>;

/**
 * Creates the clients of a mesh's engines. Each connects in the background or with the first request, and again after
 * an outage.
 * @throws SettingsError if the connection string of MongoDB is not valid.
 */
export function openEngines(addresses: EngineAddresses, database: string) {
  const mongo = openMongo({ url: addresses.mongodbUrl, database, appName: "operator" });
  const { kafkaBrokers: brokers, kafkaSecurity: security } = addresses;
  const client = { brokers, security, clientId: "operator" };
  const kafka = createKafka(client);
  const admin = createAdminAccess((onSocket) => createKafka({ ...client, onSocket }));
  const rest = createConnectRest({ url: addresses.connectUrl });
  /** The cheapest request to each engine that it can answer only if it is able to work. */
  const questions: Readonly<Record<EngineName, (signal: AbortSignal) => Promise<unknown>>> = {
    kafka: (signal) => admin.use((one) => one.describeCluster(), signal),
    "kafka-connect": (signal) => rest.readVersion(signal),
    async mongodb(signal) {
      await mongo.connected();
      await mongo.db.command({ ping: 1 }, { signal });
    },
  };
  return {
    kafka,
    withAdmin: admin.use,
    /** The disks of the brokers that the cluster has now. */
    readBrokerDisks: (signal: AbortSignal) => readBrokerDisks({ withAdmin: admin.use, security }, signal),
    db: mongo.db,
    rest,
    /** Resolves if the engine answers. @throws the reason why it does not; the signal's reason. */
    ask: (name: EngineName, signal: AbortSignal) => questions[name](signal),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.allSettled([admin[Symbol.asyncDispose](), mongo[Symbol.asyncDispose]()]);
    },
  };
}
