import { protoTimestamp } from "@devicemesh/proto";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";

/** One value of one sensor of one device, as every protocol of the gateway produces it. */
export type GatewayReading = {
  readonly deviceId: string;
  /** The name in the catalog, or the device's own name for a sensor that no catalog has. */
  readonly sensor: string;
  /** Whole milliseconds since 1970. */
  readonly timestampMs: number;
  /** In the sensor's unit; finite. */
  readonly value: number;
};

/** A value that was not accepted: where it stood in the request, and the rule that it breaks. */
export type RejectedValue = {
  /** Place of the document, line or reading in the request; from 0, lines from 1. */
  readonly index: number;
  /** The field of the document that the rule is about; empty if it is the whole document. */
  readonly field: string;
  /** The rule's id, such as `double.gte_lte`. */
  readonly rule: string;
  readonly text: string;
};

/** The reading as the contract has it. The sensor goes by its name, so that the gateway needs no list of types. */
export function contractReading({ deviceId, sensor, timestampMs, value }: GatewayReading): Reading {
  return {
    deviceId,
    timestamp: protoTimestamp(timestampMs),
    measurement: { $case: "sensorValue", value: { sensor, value } },
  };
}
