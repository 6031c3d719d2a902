import { encodeDeviceId, isDeviceId } from "@devicemesh/proto";

/**
 * The device id for a name that was chosen without knowing the rules of ids, such as a level of a topic or a tag:
 * percent-encoded, reversibly. A name that has no id (empty, or too long) stays as it is, for ingest to reject.
 */
export function idOfName(name: string): string {
  return encodeDeviceId(name) ?? name;
}

/** The device id for a `device_id` of a document: itself if it is one, so that ids of answers can be sent back; else encoded. */
export function idOfDocument(text: string): string {
  return isDeviceId(text) ? text : idOfName(text);
}
