import { collections } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";

/** The mesh's database, for the bench. */
export type BenchStore = AsyncDisposable & {
  /** Returns the number of readings that the sink has written. */
  countReadings(): Promise<number>;
  /** Returns the number of partials of the finest level that the sink has written. */
  countPartials(): Promise<number>;
};

/** Opens the database; the collections may not exist yet. */
export function openBenchStore(options: { readonly url: string; readonly database: string }): BenchStore {
  const mongo = openMongo({ ...options, appName: "devicemesh-bench" });
  const { db } = mongo;
  return {
    countReadings: () => db.collection(collections.messages).estimatedDocumentCount(),
    countPartials: () => db.collection(collections.windows).estimatedDocumentCount(),
    [Symbol.asyncDispose]: () => mongo[Symbol.asyncDispose](),
  };
}
