import { collections } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";

/** The mesh's database as the bench looks at it. */
export type BenchStore = AsyncDisposable & {
  /** How many readings the sink has written. */
  countReadings(): Promise<number>;
  /** How many partials of the finest level the sink has written. */
  countPartials(): Promise<number>;
};

/** Opens the database; the collections need not be there yet. */
export function openBenchStore(options: { readonly url: string; readonly database: string }): BenchStore {
  const mongo = openMongo({ ...options, appName: "devicemesh-bench" });
  const { db } = mongo;
  return {
    countReadings: () => db.collection(collections.messages).estimatedDocumentCount(),
    countPartials: () => db.collection(collections.windows).estimatedDocumentCount(),
    [Symbol.asyncDispose]: () => mongo[Symbol.asyncDispose](),
  };
}
