import { isDeepStrictEqual } from "node:util";
import { collections, type SettingsDocument } from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import { differenceOf, type Part } from "./difference.ts";
import type { MeshDefinition } from "./mesh-definition.ts";

/** The settings document of a mesh, without the units of the sensors. */
export function settingsDocument(mesh: MeshDefinition): SettingsDocument {
  return {
    _id: "mesh",
    levels: mesh.levels.map(({ windowMs, segmentMs }) => ({ window_ms: windowMs, segment_ms: segmentMs })),
    partitions: mesh.partitions,
    retain_raw_ms: mesh.retention.rawMs ?? null,
  };
}

/**
 * Compares the settings document with its desired state. Another window, segment or partition count is rejected. Reads
 * only.
 */
export async function inspectSettings(db: Db, mesh: MeshDefinition, signal?: AbortSignal): Promise<Part> {
  const what = "settings";
  const wanted = settingsDocument(mesh);
  const settings = db.collection<SettingsDocument>(collections.settings);
  const found = await settings.findOne({ _id: "mesh" }, { signal });
  async function apply(): Promise<void> {
    const { _id, ...fields } = wanted;
    // The units of the sensors stay.
    await settings.updateOne({ _id }, { $set: fields }, { upsert: true });
  }
  if (!found) return { what, difference: { kind: "create" }, apply };
  const refusal = settingsRefusal(found, wanted);
  if (refusal)
    return { what, difference: { kind: "refused", text: refusal }, apply: () => Promise.resolve() };
  const [from, to] = [found.retain_raw_ms, wanted.retain_raw_ms];
  const changes = from === to ? [] : [{ setting: "retain_raw_ms", from: `${from}`, to: `${to}` }];
  return { what, difference: differenceOf(changes), apply };
}

/** Returns why the current settings cannot become the desired ones, and the solution; undefined if they can. */
export function settingsRefusal(found: SettingsDocument, wanted: SettingsDocument): string | undefined {
  const instead = "use these, or another --topic-prefix and --mongodb-database";
  if (found.partitions !== wanted.partitions) {
    return `the mesh was created with --partitions ${found.partitions}, not ${wanted.partitions}: ${instead}`;
  }
  if (!isDeepStrictEqual(found.levels, wanted.levels)) {
    const flags = ({ levels }: SettingsDocument): string =>
      `--window ${levels[0]?.window_ms}ms --segment ${levels[0]?.segment_ms}ms`;
    return `the mesh was created with ${flags(found)}, not ${flags(wanted)}: ${instead}`;
  }
  return undefined;
}
