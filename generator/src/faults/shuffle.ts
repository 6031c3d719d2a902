import type { ReadingSink } from "@devicemesh/client/delivery/frame-encoder";
import type { Random } from "@devicemesh/client/random";
import { createReadingColumns } from "./reading-columns.ts";

/** Passes readings on in another order. */
export type Shuffle = {
  /** Takes a reading; every `span` readings are passed on together, shuffled. */
  add: ReadingSink;
  /** Passes on, shuffled, the readings of an incomplete group. */
  flush(): void;
};

/** Shuffles within groups of `span` readings, so it holds fewer than that. */
export function createShuffle({
  span,
  random,
  sink,
}: {
  span: number;
  random: Random;
  sink: ReadingSink;
}): Shuffle {
  const group = createReadingColumns(span);
  let size = 0;

  function flush(): void {
    for (let last = size - 1; last > 0; last--) group.swap(last, Math.floor(random() * (last + 1)));
    for (let slot = 0; slot < size; slot++) group.emit(slot, sink);
    size = 0;
  }

  return {
    add(deviceId, sensorCode, timestampMs, value) {
      group.set(size++, deviceId, sensorCode, timestampMs, value);
      if (size >= span) flush();
    },
    flush,
  };
}
