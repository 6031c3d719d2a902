import { deviceIdPattern, encodeDeviceId } from "@devicemesh/proto";

/**
 * The rules of device ids, and the encoding of other names: every character that an id may not contain is
 * percent-encoded.
 */
export const deviceIds = {
  pattern: deviceIdPattern,
  // A name that cannot be encoded stays as it is, and the pattern rejects it.
  encode: (name: string): string => encodeDeviceId(name) ?? name,
};
