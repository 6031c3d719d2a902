import type { DeviceMessage } from "@devicemesh/proto";
import { timeText } from "./differences.ts";

/** A reading as text. */
export function readingText({
  deviceId,
  sensor,
  timestampMs,
  value,
}: Omit<DeviceMessage, "sensor"> & { readonly sensor: string }): string {
  return `${deviceId}|${sensor}|${timeText(timestampMs)} = ${value}`;
}
