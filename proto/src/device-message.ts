import type { SensorName } from "./sensors.ts";
import { isoMilliseconds } from "./timestamp.ts";

/** The flat form of a reading: one sensor value of one device at one time. */
export type DeviceMessage = {
  readonly deviceId: string;
  /** The time of measurement by the device's clock, in whole milliseconds since 1970. */
  readonly timestampMs: number;
  readonly sensor: SensorName;
  /** The value in the sensor's unit. */
  readonly value: number;
};

/** The identity of a message, written `device|sensor|ISO time`. Two messages of one identity are one reading. */
export function identityOf(message: Omit<DeviceMessage, "value">): string {
  return `${message.deviceId}|${message.sensor}|${isoMilliseconds(message.timestampMs)}`;
}
