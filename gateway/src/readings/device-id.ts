import { encodeDeviceId, isDeviceId } from "@devicemesh/proto";

/**
 * Returns the device id for a name that was chosen without the rules of ids, such as a level of a topic or a tag:
 * percent-encoded, reversibly. A name that cannot be encoded (empty, or too long) stays as it is, and ingest rejects
 * it.
 */
export function idOfName(name: string): string {
  return encodeDeviceId(name) ?? name;
}

/**
 * Returns the device id for the `device_id` of a document: itself if it is valid, so that ids from answers can be sent
 * back; otherwise encoded.
 */
export function idOfDocument(text: string): string {
  return isDeviceId(text) ? text : idOfName(text);
}
