import { indexDefinitions } from "@devicemesh/operator";
import {
  collections,
  type FrontierDocument,
  type MessageDocument,
  type SettingsDocument,
} from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { alignDown, defaultLevels, identityOf } from "@devicemesh/proto";
import { messageDocument } from "@devicemesh/query/testing/mongo/mongo-documents-fixture";
import type { TailFleet } from "./tail-fleet.ts";

/** A database whose frontier does not move while readings arrive. */
export type TailDatabase = AsyncDisposable & {
  /** Stores a second of readings, as the sink does. */
  insert(second: number): Promise<void>;
  /** Publishes that everything is stored that arrived before this, as the aggregator does. */
  publish(completeThroughMs: number): Promise<void>;
};

/** Number of documents of one insert. */
const batchRows = 1000;

/** Creates an empty database with the settings and the indexes of a mesh. */
export async function createTailDatabase(options: {
  readonly url: string;
  readonly database: string;
  readonly fleet: TailFleet;
}): Promise<TailDatabase> {
  const { url, database, fleet } = options;
  const mongo = openMongo({ url, database, appName: "devicemesh-bench" });
  const { db } = mongo;
  for (const { collection, name, fields } of indexDefinitions({ levels: defaultLevels })) {
    const keys = Object.fromEntries(fields.map((field) => [field, 1]));
    await db.collection(collection).createIndex(keys, { name });
  }
  await db.collection<SettingsDocument>(collections.settings).insertOne({
    _id: "mesh",
    levels: defaultLevels.map(({ windowMs, segmentMs }) => ({ window_ms: windowMs, segment_ms: segmentMs })),
    partitions: 1,
    retain_raw_ms: null,
  });
  const messages = db.collection<MessageDocument>(collections.messages);
  const frontier = db.collection<FrontierDocument>(collections.frontier);
  const frontiers = defaultLevels.map(({ segmentMs }) => new Date(alignDown(fleet.frontierMs, segmentMs)));
  return {
    async insert(second) {
      const documents = fleet
        .readingsOf(second)
        .map((reading) => messageDocument(identityOf(reading), reading, 0));
      for (let first = 0; first < documents.length; first += batchRows) {
        await messages.insertMany(documents.slice(first, first + batchRows), { ordered: false });
      }
    },
    async publish(completeThroughMs) {
      const through = new Date(completeThroughMs);
      await frontier.updateOne(
        { _id: "frontier" },
        {
          $set: {
            complete_through: through,
            frontiers,
            coarse_pure_since: new Date(0),
            log_end: through,
            updated: through,
          },
        },
        { upsert: true },
      );
    },
    [Symbol.asyncDispose]: () => mongo[Symbol.asyncDispose](),
  };
}
