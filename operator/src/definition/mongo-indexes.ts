import { isDeepStrictEqual } from "node:util";
import type { Db, IndexDescriptionInfo } from "mongodb";
import { type Change, differenceOf, type Part } from "./difference.ts";
import type { IndexDefinition } from "./index-definitions.ts";

/** Time limit of the whole request, which takes no signal. */
const timeoutMS = 5000;

/** Compares the indexes with their desired state; ignores additional indexes. Reads only. */
export async function inspectIndexes(
  db: Db,
  definitions: readonly IndexDefinition[],
  signal?: AbortSignal,
): Promise<Part[]> {
  const collections = await db.listCollections({}, { nameOnly: true, signal }).toArray();
  const names = new Set(collections.map(({ name }) => name));
  const found = new Map<string, readonly IndexDescriptionInfo[]>();
  for (const collection of new Set(definitions.map((definition) => definition.collection))) {
    found.set(collection, names.has(collection) ? await indexesOf(db, collection, signal) : []);
  }
  return definitions.map((definition) => {
    const index = found.get(definition.collection)?.find(({ name }) => name === definition.name);
    return {
      what: `index ${definition.collection}.${definition.name} (${definition.fields.join(", ")})`,
      difference: index ? differenceOf(indexChanges(index, definition)) : { kind: "create" },
      async apply() {
        if (index) await db.collection(definition.collection).dropIndex(definition.name);
        await createIndex(db, definition);
      },
    };
  });
}

async function indexesOf(
  db: Db,
  collection: string,
  signal: AbortSignal | undefined,
): Promise<IndexDescriptionInfo[]> {
  signal?.throwIfAborted();
  return await db.collection(collection).indexes({ timeoutMS });
}

async function createIndex(db: Db, { collection, name, fields }: IndexDefinition) {
  await db.collection(collection).createIndex(keyOf(fields), { name });
}

function indexChanges(found: IndexDescriptionInfo, wanted: IndexDefinition): Change[] {
  const changes: Change[] = [];
  const key = Object.fromEntries(Object.entries(found.key).map(([field, order]) => [field, Number(order)]));
  // The order of the fields matters.
  if (!isDeepStrictEqual(Object.entries(key), Object.entries(keyOf(wanted.fields)))) {
    changes.push({ setting: "fields", from: Object.keys(key).join(", "), to: wanted.fields.join(", ") });
  }
  // Older operators let the database itself delete readings.
  const expiry = found.expireAfterSeconds as number | undefined;
  if (expiry !== undefined) {
    changes.push({ setting: "expires after seconds", from: `${expiry}`, to: "never" });
  }
  return changes;
}

function keyOf(fields: readonly string[]): Record<string, 1> {
  return Object.fromEntries(fields.map((field) => [field, 1]));
}
