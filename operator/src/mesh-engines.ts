import { createKafka } from "@devicemesh/chain/kafka-client";
import { openMongo } from "@devicemesh/chain/mongo-client";
import { createConnectRest } from "./connect-rest.ts";
import { createAdminAccess } from "./kafka-admin.ts";

/** Where the engines are. */
export type EngineAddresses = {
  /** host:port of each broker that is asked first. */
  readonly kafkaBrokers: readonly string[];
  /** Kafka Connect's REST interface: `http://host:port`. */
  readonly connectUrl: string;
  readonly mongodbUrl: string;
};

/** The engines of a mesh. */
export type MeshEngines = ReturnType<typeof openEngines>;

/** Knows the engines that a mesh is made in. Each is connected to with the first request, and again when it was away. */
export function openEngines(addresses: EngineAddresses, database: string) {
  const kafka = createKafka({ brokers: addresses.kafkaBrokers, clientId: "operator" });
  const admin = createAdminAccess(kafka);
  const mongo = openMongo({ url: addresses.mongodbUrl, database, appName: "operator" });
  return {
    kafka,
    withAdmin: admin.use,
    db: mongo.db,
    rest: createConnectRest({ url: addresses.connectUrl }),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.allSettled([admin[Symbol.asyncDispose](), mongo[Symbol.asyncDispose]()]);
    },
  };
}
