import { isoMilliseconds } from "@devicemesh/proto";

/** Returns the `_id` of a window of a series. */
export function windowId(window: {
  readonly deviceId: string;
  readonly sensor: string;
  readonly windowMs: number;
}): string {
  return `${window.deviceId}|${window.sensor}|${isoMilliseconds(window.windowMs)}`;
}

/** Returns the parts of a message's identity, or undefined if the text is not an identity. */
export function parseIdentity(
  identity: string,
): { readonly deviceId: string; readonly sensor: string; readonly timestampMs: number } | undefined {
  const [deviceId, sensor, time, ...rest] = identity.split("|");
  if (!deviceId || !sensor || !time || rest.length > 0) return undefined;
  const timestampMs = Date.parse(time);
  if (Number.isNaN(timestampMs) || isoMilliseconds(timestampMs) !== time) return undefined;
  return { deviceId, sensor, timestampMs };
}
