import { deviceIdPattern } from "@devicemesh/proto";

/** What device ids may be, and how other names become ids: every character that they may not hold is percent-encoded. */
export const deviceIds = {
  pattern: deviceIdPattern,
  encode: (name: string): string => name.replace(/[^A-Za-z0-9._:-]/gu, percentEncoded),
};

function percentEncoded(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
