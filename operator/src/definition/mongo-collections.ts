import { isDeepStrictEqual } from "node:util";
import type { Db } from "mongodb";
import type { CollectionDefinition } from "./collection-definitions.ts";
import type { Change, Part } from "./difference.ts";
import { differenceOf } from "./difference.ts";

/** Compares the collections and their validators with their desired state. Reads only. */
export async function inspectCollections(
  db: Db,
  definitions: readonly CollectionDefinition[],
  signal?: AbortSignal,
): Promise<Part[]> {
  const found = new Map<string, unknown>();
  for await (const { name, options } of db.listCollections({}, { nameOnly: false, signal })) {
    found.set(name, (options as { readonly validator?: unknown } | undefined)?.validator ?? {});
  }
  return definitions.map(({ collection, validator }) => {
    const what = `collection ${collection}`;
    if (!found.has(collection)) {
      return {
        what,
        difference: { kind: "create" },
        apply: () => createCollection(db, collection, validator),
      };
    }
    const changes = validatorChanges(found.get(collection), validator);
    return {
      what,
      difference: differenceOf(changes),
      async apply() {
        await db.command({ collMod: collection, validator, ...strictly });
      },
    };
  });
}

const strictly = { validationLevel: "strict", validationAction: "error" } as const;

async function createCollection(db: Db, collection: string, validator: object): Promise<void> {
  await db.createCollection(collection, { validator, ...strictly });
}

/** The names of the rules of the validator that differ; long lists are cut. */
function validatorChanges(found: unknown, wanted: object): Change[] {
  const from = (found ?? {}) as Readonly<Record<string, unknown>>;
  const to = wanted as Readonly<Record<string, unknown>>;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((rule) => !isDeepStrictEqual(from[rule], to[rule]))
    .map((rule) => ({ setting: `validator ${rule}`, from: short(from[rule]), to: short(to[rule]) }));
}

function short(value: unknown): string {
  const text = value === undefined ? "(none)" : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
