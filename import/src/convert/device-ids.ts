import { deviceIdPattern, encodeDeviceId } from "@devicemesh/proto";

/** What device ids may be, and how other names become ids: every character that they may not hold is percent-encoded. */
export const deviceIds = {
  pattern: deviceIdPattern,
  // A name that has no id is refused as it is, by the pattern.
  encode: (name: string): string => encodeDeviceId(name) ?? name,
};
