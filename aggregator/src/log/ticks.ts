import { ticksMax } from "../limits.ts";
/** A tick that the log has acknowledged: a record without a value, appended to one partition. */
export type Tick = {
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it, ms since 1970. */
  readonly appendedMs: number;
};

/** Ticks that were appended, and what a consumer's passing them tells. */
export type TickMemory = {
  /** Remembers a round of ticks; a partition whose tick did not get through is missing, and that is all. */
  add(ticks: readonly Tick[]): void;
  /**
   * The moment before which everything that was appended has been handled by the consumer with these
   * committed offsets (the next offset to read, by partition), ms since 1970. Undefined until every partition
   * has a tick that was passed. It never goes back, also where offsets do: what was handled once stays so.
   */
  completeThroughMs(committed: ReadonlyMap<number, number>): number | undefined;
};

/**
 * Makes an empty memory for a topic of `partitions` partitions. `clockSkewMs` is how far the clocks of the
 * brokers may differ; it is taken off, since a partition that moves to another broker goes on by its clock.
 */
export function createTickMemory(options: {
  readonly partitions: number;
  readonly clockSkewMs: number;
  readonly ticksMax?: number;
}): TickMemory {
  const most = options.ticksMax ?? ticksMax;
  const waiting: PassableTick[][] = Array.from({ length: options.partitions }, () => []);
  const passedMs: (number | undefined)[] = waiting.map(() => undefined);

  return {
    add(ticks) {
      for (const { partition, offset, appendedMs } of ticks) {
        const list = waiting[partition];
        if (!list) throw new RangeError(`partition ${partition} of ${options.partitions}`);
        list.push({ offset, appendedMs });
        if (list.length > most) waiting[partition] = thinned(list);
      }
    },
    completeThroughMs(committed) {
      let earliestMs = Number.POSITIVE_INFINITY;
      for (const [partition, list] of waiting.entries()) {
        const next = committed.get(partition) ?? 0;
        const passed = list.findLastIndex(({ offset }) => offset < next);
        if (passed >= 0) {
          // Append times may step back with a broker's clock; what was passed stays passed.
          passedMs[partition] = Math.max(passedMs[partition] ?? 0, list[passed]?.appendedMs as number);
          list.splice(0, passed + 1);
        }
        const partitionMs = passedMs[partition];
        if (partitionMs === undefined) earliestMs = Number.NEGATIVE_INFINITY;
        else earliestMs = Math.min(earliestMs, partitionMs);
      }
      return Number.isFinite(earliestMs) ? earliestMs - options.clockSkewMs : undefined;
    },
  };
}

type PassableTick = { readonly offset: number; readonly appendedMs: number };

/** Every other tick of the older half: a consumer that is far behind is measured more coarsely, never wrongly. */
function thinned(list: readonly PassableTick[]): PassableTick[] {
  const half = Math.floor(list.length / 2);
  return list.filter((_, place) => place >= half || place % 2 === 0);
}
