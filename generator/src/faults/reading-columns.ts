import type { ReadingSink } from "@devicemesh/client/delivery/frame-encoder";

/** Readings in columns, by slot: a delayed reading allocates no object. */
export type ReadingColumns = {
  /** Stores a reading in the slot. */
  set(slot: number, deviceId: string, sensorCode: number, timestampMs: number, value: number): void;
  /** Passes on the slot's reading. */
  emit(slot: number, sink: ReadingSink): void;
  /** Exchanges two slots. */
  swap(a: number, b: number): void;
};

/** Creates columns for that many readings. */
export function createReadingColumns(slots: number): ReadingColumns {
  const deviceIds: string[] = [];
  const sensorCodes = new Uint16Array(slots);
  const timestampsMs = new Float64Array(slots);
  const values = new Float64Array(slots);

  return {
    set(slot, deviceId, sensorCode, timestampMs, value) {
      deviceIds[slot] = deviceId;
      sensorCodes[slot] = sensorCode;
      timestampsMs[slot] = timestampMs;
      values[slot] = value;
    },
    emit(slot, sink) {
      sink(deviceIds[slot]!, sensorCodes[slot]!, timestampsMs[slot]!, values[slot]!);
    },
    swap(a, b) {
      [deviceIds[a], deviceIds[b]] = [deviceIds[b]!, deviceIds[a]!];
      for (const column of [sensorCodes, timestampsMs, values]) {
        [column[a], column[b]] = [column[b]!, column[a]!];
      }
    },
  };
}
