import { protoTimestamp } from "@devicemesh/proto";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";

/** One value of one sensor of one device: the common form of every protocol of the gateway. */
export type GatewayReading = {
  readonly deviceId: string;
  /** The name in the catalog, or the device's own name for a sensor that the catalog does not have. */
  readonly sensor: string;
  /** Whole milliseconds since 1970. */
  readonly timestampMs: number;
  /** In the sensor's unit; finite. */
  readonly value: number;
};

/** A rejected value: its place in the request, and the rule that it breaks. */
export type RejectedValue = {
  /** Index of the document, line or reading in the request; from 0, lines from 1. */
  readonly index: number;
  /** The field of the document that the rule concerns; empty if it concerns the whole document. */
  readonly field: string;
  /** The rule's id, such as `double.gte_lte`. */
  readonly rule: string;
  readonly text: string;
};

/**
 * Returns the reading as a message of the contract. The sensor is sent by name, so that the gateway needs no list of
 * device types.
 */
export function contractReading({ deviceId, sensor, timestampMs, value }: GatewayReading): Reading {
  return {
    deviceId,
    timestamp: protoTimestamp(timestampMs),
    measurement: { $case: "sensorValue", value: { sensor, value } },
  };
}
