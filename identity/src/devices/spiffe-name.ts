/**
 * The name in a device's certificate, its one URI: `spiffe://<trust domain>/device/<id>` is one device,
 * `spiffe://<trust domain>/gateway/<prefix>` a gateway that sends for many. It follows SPIFFE IDs (spiffe.io,
 * SPIFFE-ID.md), with one extension: a device id may contain a colon, a SPIFFE path may not.
 */
export type SpiffeName = {
  readonly trustDomain: string;
  readonly kind: "device" | "gateway";
  /** The device's id, or the gateway's prefix of ids. */
  readonly name: string;
};

/**
 * Device ids that a name can contain: those that a URI path represents unchanged, in one segment, and in only one way.
 * A gateway sends for other devices.
 */
const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}$/;

/** Lower case, as required by SPIFFE, so that a domain has only one spelling. */
const trustDomainPattern = /^[a-z0-9][a-z0-9._-]{0,254}$/;

/** Parses a name; undefined if it is not valid. */
export function parseSpiffeName(uri: string): SpiffeName | undefined {
  const [scheme, empty, trustDomain = "", kind, name = "", ...more] = uri.split("/");
  if (scheme !== "spiffe:" || empty !== "" || more.length > 0) return undefined;
  if (kind !== "device" && kind !== "gateway") return undefined;
  const isEvery = kind === "gateway" && name === everyDevice;
  const isName = trustDomainPattern.test(trustDomain) && (isEvery || namePattern.test(name));
  return isName ? { trustDomain, kind, name } : undefined;
}

/** Instead of a gateway's prefix: it may send for every device. No device id contains this character. */
export const everyDevice = "*";

/**
 * Formats a name.
 * @throws RangeError if the trust domain or the name is not valid.
 */
export function formatSpiffeName({ trustDomain, kind, name }: SpiffeName): string {
  const uri = `spiffe://${trustDomain}/${kind}/${name}`;
  if (parseSpiffeName(uri) === undefined)
    throw new RangeError(`${JSON.stringify(uri)} is not a name of a ${kind}`);
  return uri;
}

/**
 * Whether the bearer of a name may send readings of a device. A gateway may send for the ids that begin with its
 * prefix, if the prefix ends at a boundary: `plant-7` covers `plant-7`, `plant-7.boiler` and `plant-7/boiler`, not
 * `plant-70`.
 */
export function mayPublish({ kind, name }: Pick<SpiffeName, "kind" | "name">, deviceId: string): boolean {
  if (deviceId === name || (kind === "gateway" && name === everyDevice)) return true;
  if (kind === "device" || !deviceId.startsWith(name)) return false;
  return isSeparator(name.charCodeAt(name.length - 1)) || isSeparator(deviceId.charCodeAt(name.length));
}

/** One of `.` `_` `:` `-` `/`. */
function isSeparator(character: number): boolean {
  return (
    character === 0x2e || character === 0x5f || character === 0x3a || character === 0x2d || character === 0x2f
  );
}
