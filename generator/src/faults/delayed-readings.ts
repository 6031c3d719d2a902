import type { ReadingSink } from "@devicemesh/client/delivery/frame-encoder";
import { createReadingColumns } from "./reading-columns.ts";

/** Readings that are delayed until their time. */
export type DelayedReadings = {
  /** Delays a reading until then. Returns false if there is no capacity. */
  delay(releaseMs: number, deviceId: string, sensorCode: number, timestampMs: number, value: number): boolean;
  /** Passes on the readings that are due, by time, then in the order in which they were added. */
  release(nowMs: number, sink: ReadingSink): void;
  /** Number of delayed readings. */
  size(): number;
};

/** Creates a binary heap in typed arrays, for at most `max` readings. */
export function createDelayedReadings(max: number): DelayedReadings {
  const columns = createReadingColumns(max);
  const releaseMs = new Float64Array(max);
  const order = new Float64Array(max);
  const heap = new Uint32Array(max);
  const free: number[] = [];
  let size = 0;
  let delayed = 0;

  function before(a: number, b: number): boolean {
    const difference = releaseMs[a]! - releaseMs[b]!;
    return difference < 0 || (difference === 0 && order[a]! < order[b]!);
  }

  function up(start: number): void {
    const slot = heap[start]!;
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(slot, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = slot;
  }

  function down(slot: number): void {
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, slot)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = slot;
  }

  return {
    delay(release, deviceId, sensorCode, timestampMs, value) {
      if (size >= max) return false;
      const slot = free.pop() ?? size;
      columns.set(slot, deviceId, sensorCode, timestampMs, value);
      releaseMs[slot] = release;
      order[slot] = delayed++;
      heap[size] = slot;
      up(size++);
      return true;
    },
    release(nowMs, sink) {
      while (size > 0 && releaseMs[heap[0]!]! <= nowMs) {
        const slot = heap[0]!;
        size -= 1;
        if (size > 0) down(heap[size]!);
        free.push(slot);
        columns.emit(slot, sink);
      }
    },
    size: () => size,
  };
}
