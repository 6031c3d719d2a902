import { ticksMax } from "../limits.ts";
/** A tick that the log has acknowledged: a record without a value, appended to one partition. */
export type Tick = {
  readonly partition: number;
  readonly offset: number;
  /** The time at which the broker appended it, ms since 1970. */
  readonly appendedMs: number;
};

/** The appended ticks, which translate a consumer's offsets into times. */
export type TickMemory = {
  /** Remembers a round of ticks; a partition whose tick was lost is missing. */
  add(ticks: readonly Tick[]): void;
  /**
   * Returns the moment before which the consumer with these committed offsets (the next offset to read, by partition)
   * has processed every record, in ms since 1970. Undefined until the consumer has passed a tick in every partition. It
   * never goes back, even if offsets do: a processed record stays processed.
   */
  completeThroughMs(committed: ReadonlyMap<number, number>): number | undefined;
};

/**
 * Creates an empty memory for a topic of `partitions` partitions. `clockSkewMs` is the largest difference between the
 * clocks of the brokers; it is subtracted, because a partition that moves to another broker continues by that broker's
 * clock.
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
          // Append times may go back with a broker's clock; a passed tick stays passed.
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

/**
 * Drops every second tick of the older half: a consumer that is far behind is measured more coarsely, never wrongly.
 */
function thinned(list: readonly PassableTick[]): PassableTick[] {
  const half = Math.floor(list.length / 2);
  return list.filter((_, place) => place >= half || place % 2 === 0);
}
