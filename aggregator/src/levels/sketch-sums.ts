import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { windowId } from "@devicemesh/pipeline";
import { sketchBytes } from "@devicemesh/query";

/** A window of a series. */
type SeriesWindow = { readonly deviceId: string; readonly sensor: string; readonly windowMs: number };

/** The bytes of a sketch, or of a part of one; `window` is as in `windowId`. */
export type SketchPart = { readonly window: string; readonly bytes: Uint8Array };

/** Sketches of many windows that are being added up. */
export type SketchSums = {
  /** Adds to the sketch of a window. */
  add(window: SeriesWindow, addTo: (sketch: Map<number, number>) => void): Promise<void>;
  /** Writes the rest. */
  end(): Promise<void>;
};

/**
 * Adds up sketches in bounded memory: once they have `bucketsMax` buckets they are written, and a window that occurs
 * again later gets another part. Other work can run in between.
 */
export function createSketchSums({
  bucketsMax,
  write,
}: {
  readonly bucketsMax: number;
  /** `isWhole` if these are all parts of their windows. */
  readonly write: (parts: readonly SketchPart[], isWhole: boolean) => Promise<void>;
}): SketchSums {
  const share = createLoopShare();
  let sums = new Map<string, SeriesWindow & { readonly sketch: Map<number, number> }>();
  let buckets = 0;
  let isFirst = true;

  async function writeAll(isWhole: boolean): Promise<void> {
    const parts: SketchPart[] = [];
    for (const { sketch, ...window } of sums.values()) {
      parts.push({ window: windowId(window), bytes: sketchBytes(sketch) });
      await share();
    }
    sums = new Map();
    buckets = 0;
    if (parts.length > 0) await write(parts, isWhole);
  }

  return {
    async add(window, addTo) {
      const key = `${window.deviceId}|${window.sensor}|${window.windowMs}`;
      const known = sums.get(key);
      const sketch = known?.sketch ?? new Map<number, number>();
      const before = sketch.size;
      addTo(sketch);
      if (!known && sketch.size > 0) sums.set(key, { ...window, sketch });
      buckets += sketch.size - before;
      if (buckets > bucketsMax) {
        await writeAll(false);
        isFirst = false;
      }
      await share();
    },
    end: () => writeAll(isFirst),
  };
}
