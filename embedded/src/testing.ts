import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MessageBatch } from "@devicemesh/ingest";
import { type DeviceMessage, sensors } from "@devicemesh/proto";

/** A folder for a test's store, removed when disposed. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "devicemesh-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The messages in columns, as ingest hands them over. */
export function batchOf(messages: readonly DeviceMessage[]): MessageBatch {
  const codes = new Map<string, number>(sensors.map(({ sensor }, code) => [sensor, code]));
  return {
    length: messages.length,
    deviceIds: messages.map(({ deviceId }) => deviceId),
    sensorCodes: Uint8Array.from(messages, ({ sensor }) => codes.get(sensor) ?? 255),
    timestampsMs: Float64Array.from(messages, ({ timestampMs }) => timestampMs),
    values: Float64Array.from(messages, ({ value }) => value),
  };
}
