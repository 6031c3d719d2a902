import { createKafka } from "@devicemesh/chain/kafka-client";
import { openMongo } from "@devicemesh/chain/mongo-client";
import { createConnectRest } from "./connect-rest.ts";

/** Where the engines are. */
export type EngineAddresses = {
  /** host:port of each broker that is asked first. */
  readonly kafkaBrokers: readonly string[];
  /** Kafka Connect's REST interface: `http://host:port`. */
  readonly connectUrl: string;
  readonly mongodbUrl: string;
};

/** The engines of a mesh, connected. */
export type MeshEngines = Awaited<ReturnType<typeof openEngines>>;

/**
 * Connects to the engines that a mesh is made in. MongoDB and Connect are reached with the first request.
 * @throws Error if no broker can be reached.
 */
export async function openEngines(addresses: EngineAddresses, database: string) {
  const kafka = createKafka({ brokers: addresses.kafkaBrokers, clientId: "operator" });
  const admin = kafka.admin();
  await admin.connect();
  const mongo = openMongo({ url: addresses.mongodbUrl, database, appName: "operator" });
  return {
    kafka,
    admin,
    db: mongo.db,
    rest: createConnectRest({ url: addresses.connectUrl }),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.allSettled([admin.disconnect(), mongo[Symbol.asyncDispose]()]);
    },
  };
}
