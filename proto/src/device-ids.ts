import { deviceIdPattern } from "./bounds.ts";

/** The maximum length of a device id, in characters. */
const deviceIdCharactersMax = 128;

/**
 * Encodes a name as a device id. Characters that an id may not contain, `%` itself, and a first character that an id
 * may not begin with are written as `%` and two digits for each byte in UTF-8, so that `decodeDeviceId` restores the
 * name. A name of valid characters without `%` is its own id. Returns undefined if the name is empty or its id is too
 * long.
 */
export function encodeDeviceId(name: string): string | undefined {
  // A lone surrogate has no UTF-8 form, so it could not be decoded again.
  if (name === "" || !name.isWellFormed()) return undefined;
  const kept = name.replace(/[^A-Za-z0-9._:@~=/-]/gu, percentEncoded);
  const id = firstPattern.test(kept) ? kept : `${percentEncoded(kept[0] as string)}${kept.slice(1)}`;
  return id.length > deviceIdCharactersMax ? undefined : id;
}

/** Returns the name that `encodeDeviceId` encoded, or the id itself if it does not encode a name. */
export function decodeDeviceId(id: string): string {
  if (!id.includes("%")) return id;
  let name: string;
  try {
    name = decodeURIComponent(id);
  } catch {
    return id;
  }
  // The device chose an id that contains a percent sign of its own.
  return encodeDeviceId(name) === id ? name : id;
}

/** Whether the text is a valid device id. */
export function isDeviceId(text: string): boolean {
  return deviceIdPattern.test(text);
}

/** Whether an id may begin with this character, `%` included. */
const firstPattern = /^[A-Za-z0-9_%]/;

function percentEncoded(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
