import { deviceIdPattern } from "./bounds.ts";

/** The most characters of a device id. */
const deviceIdCharactersMax = 128;

/**
 * A name as a device id. Characters that an id may not hold, `%` itself, and a first character that an id may not begin
 * with are written as `%` and two digits of each byte in UTF-8, so that `decodeDeviceId` gives the name back. A name
 * of characters that ids may hold, without `%`, is its own id. Undefined if the name is empty or its id is too long.
 */
export function encodeDeviceId(name: string): string | undefined {
  // A lone surrogate has no UTF-8, so it could not be given back.
  if (name === "" || !name.isWellFormed()) return undefined;
  const kept = name.replace(/[^A-Za-z0-9._:@~=/-]/gu, percentEncoded);
  const id = firstPattern.test(kept) ? kept : `${percentEncoded(kept[0] as string)}${kept.slice(1)}`;
  return id.length > deviceIdCharactersMax ? undefined : id;
}

/** The name that `encodeDeviceId` made the id of; the id itself where it is of no name. */
export function decodeDeviceId(id: string): string {
  if (!id.includes("%")) return id;
  let name: string;
  try {
    name = decodeURIComponent(id);
  } catch {
    return id;
  }
  // An id with a percent sign of its own, as a device chose it.
  return encodeDeviceId(name) === id ? name : id;
}

/** Whether the text is a device id of the contract. */
export function isDeviceId(text: string): boolean {
  return deviceIdPattern.test(text);
}

/** What an id may begin with, `%` included. */
const firstPattern = /^[A-Za-z0-9_%]/;

function percentEncoded(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
