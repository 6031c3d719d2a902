import { collections, type FrontierDocument } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";

/** The mesh's database, for the bench. */
export type BenchStore = AsyncDisposable & {
  /** Returns the number of readings that the sink has written. */
  countReadings(): Promise<number>;
  /** Returns the number of partials of the finest level that the sink has written. */
  countPartials(): Promise<number>;
  /** Returns the number of readings of a device that the sink has written. */
  countReadingsOf(deviceId: string): Promise<number>;
  /** Returns the published frontier of the finest level, ms since 1970; 0 if there is none. */
  frontierMs(): Promise<number>;
};

/** Opens the database; the collections may not exist yet. */
export function openBenchStore(options: { readonly url: string; readonly database: string }): BenchStore {
  const mongo = openMongo({ ...options, appName: "devicemesh-bench" });
  const { db } = mongo;
  return {
    countReadings: () => db.collection(collections.messages).estimatedDocumentCount(),
    countPartials: () => db.collection(collections.windows).estimatedDocumentCount(),
    countReadingsOf: (device_id) => db.collection(collections.messages).countDocuments({ device_id }),
    async frontierMs() {
      const found = await db.collection<FrontierDocument>(collections.frontier).findOne({ _id: "frontier" });
      return found?.frontiers[0]?.getTime() ?? 0;
    },
    [Symbol.asyncDispose]: () => mongo[Symbol.asyncDispose](),
  };
}
