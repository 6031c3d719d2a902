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
  completeThroughMs(
    committed: ReadonlyMap<number, number>,
    /** The messages before were found in partials, or their windows marked, by partition. */
    checked?: ReadonlyMap<number, number>,
  ): number | undefined;
  /** By partition: by how much the newest tick is earlier than another before it, in ms; without those that is not so of. */
  readonly steppedBackMs: ReadonlyMap<number, number>;
};

/**
 * Creates an empty memory for a topic of `partitions` partitions. `clockSkewMs` is the largest difference between the
 * clocks of the brokers; it is subtracted, because a partition that moves to another broker continues by that broker's
 * clock.
 */
export function createTickMemory(options: {
  readonly partitions: number;
  readonly clockSkewMs: number;
  /**
   * The largest append time of each partition before these ticks, ms since 1970; without those that were empty. In
   * the others a clock may have stepped back unseen, so their first ticks wait for the check.
   */
  readonly newestMs?: ReadonlyMap<number, number> | undefined;
  readonly ticksMax?: number;
}): TickMemory {
  const most = options.ticksMax ?? ticksMax;
  const waiting: PassableTick[][] = Array.from({ length: options.partitions }, () => []);
  const passedMs: (number | undefined)[] = waiting.map(() => undefined);
  const newestMs = waiting.map((_, partition) => options.newestMs?.get(partition) ?? 0);
  const behindMs = new Map<number, number>();
  // Each first tick that is later than all before its clock stepped back: what came in between counts with it.
  const held: number[][] = waiting.map(() => []);
  const isSuspect = waiting.map((_, partition) => options.newestMs?.has(partition) ?? false);

  function follow({ partition, offset, appendedMs }: Tick): void {
    const newest = newestMs[partition] as number;
    if (appendedMs < newest) {
      isSuspect[partition] = true;
      behindMs.set(partition, newest - appendedMs);
      return;
    }
    newestMs[partition] = appendedMs;
    behindMs.delete(partition);
    if (isSuspect[partition]) held[partition]?.push(offset);
    isSuspect[partition] = false;
  }

  return {
    add(ticks) {
      for (const { partition, offset, appendedMs } of ticks) {
        const list = waiting[partition];
        if (!list) throw new RangeError(`partition ${partition} of ${options.partitions}`);
        follow({ partition, offset, appendedMs });
        list.push({ offset, appendedMs });
        if (list.length > most) waiting[partition] = thinned(list);
      }
    },
    completeThroughMs(committed, checked = committed) {
      let earliestMs = Number.POSITIVE_INFINITY;
      for (const [partition, list] of waiting.entries()) {
        const holding = held[partition] as number[];
        while (holding[0] !== undefined && holding[0] <= (checked.get(partition) ?? 0)) holding.shift();
        const next = Math.min(committed.get(partition) ?? 0, holding[0] ?? Number.POSITIVE_INFINITY);
        const passed = list.findLastIndex(({ offset }) => offset < next);
        if (passed >= 0) {
          // Append times may go back with a broker's clock; a passed tick stays passed.
          const newest = list.splice(0, passed + 1).map(({ appendedMs }) => appendedMs);
          passedMs[partition] = Math.max(passedMs[partition] ?? 0, ...newest);
        }
        const partitionMs = passedMs[partition];
        if (partitionMs === undefined) earliestMs = Number.NEGATIVE_INFINITY;
        else earliestMs = Math.min(earliestMs, partitionMs);
      }
      return Number.isFinite(earliestMs) ? earliestMs - options.clockSkewMs : undefined;
    },
    steppedBackMs: behindMs,
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
