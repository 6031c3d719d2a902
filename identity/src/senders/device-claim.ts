import { deviceIdPattern } from "@devicemesh/proto";
import { mayPublish } from "../devices/spiffe-name.ts";

/** The maximum number of entries of the claim. */
export const deviceClaimMax = 1000;

/** Whether a claim is a list of devices: ids, prefixes that end with `*`, and `*` alone for every device. */
export function isDeviceClaim(claim: unknown): claim is readonly string[] {
  return Array.isArray(claim) && claim.length <= deviceClaimMax && claim.every(isEntry);
}

function isEntry(entry: unknown): boolean {
  if (typeof entry !== "string") return false;
  return entry === "*" || deviceIdPattern.test(entry.endsWith("*") ? entry.slice(0, -1) : entry);
}

/**
 * Whether a claim covers a device. A prefix ends at a separator, like that of a gateway: `plant-7*` covers `plant-7`
 * and `plant-7.boiler`, not `plant-70`.
 */
export function coversDevice(claim: readonly string[], deviceId: string): boolean {
  return claim.some((entry) => {
    if (entry === "*") return true;
    const isPrefix = entry.endsWith("*");
    const name = isPrefix ? entry.slice(0, -1) : entry;
    return mayPublish({ kind: isPrefix ? "gateway" : "device", name }, deviceId);
  });
}
