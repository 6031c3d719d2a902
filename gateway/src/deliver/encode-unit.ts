import type { Unit } from "@devicemesh/client";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { contractReading, type GatewayReading } from "../readings/gateway-reading.ts";

/** Encodes a commit unit of one frame with these readings, at most 1000. */
export function encodeUnit(readings: readonly GatewayReading[]): Unit {
  const bytes = PublishReadingsRequest.encode({ readings: readings.map(contractReading) }).finish();
  return { readings: readings.length, frames: [{ readings: readings.length, bytes: Buffer.from(bytes) }] };
}
