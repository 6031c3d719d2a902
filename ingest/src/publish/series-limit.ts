import type { AdmitSeries } from "../checks/reading-checks.ts";

/** How many series an ingest without a store of its own accepts readings of, since it was started. */
export type SeriesLimits = {
  /** In all. */
  readonly max: number;
  /** Those that one publisher was the first to send; publishers without identity count as one. */
  readonly maxPerPublisher: number;
};

/** Sensors up to this code are kept in the bits of one number. */
const codesInBits = 31;

/**
 * Limits the series that an ingest accepts readings of. It counts only what it has accepted itself: it starts again at a
 * restart, and each instance counts for itself. It holds some 100 bytes for each device, so the limit bounds its memory.
 */
export function createSeriesLimit({ max, maxPerPublisher }: SeriesLimits): AdmitSeries {
  const known = new Map<string, number>();
  /** Of the rarer sensors, as "device code". */
  const knownBeyond = new Set<string>();
  const begunBy = new Map<string, number>();
  let begun = 0;

  return (deviceId, sensorCode, publisher = "") => {
    const bits = known.get(deviceId);
    const isInBits = sensorCode < codesInBits;
    if (isInBits ? ((bits ?? 0) >>> sensorCode) & 1 : knownBeyond.has(`${deviceId} ${sensorCode}`)) {
      return undefined;
    }
    if (begun >= max) {
      return `would begin a new series: ingest has accepted ${begun} since it was started, at most ${max} are accepted (--max-series)`;
    }
    const own = begunBy.get(publisher) ?? 0;
    if (own >= maxPerPublisher) {
      const who = publisher === "" ? "publishers without identity have" : `${publisher} has`;
      return `would begin a new series: ${who} begun ${own} since ingest was started, at most ${maxPerPublisher} are accepted (--max-series-per-publisher)`;
    }
    begun++;
    begunBy.set(publisher, own + 1);
    if (isInBits) known.set(deviceId, (bits ?? 0) | (1 << sensorCode));
    else knownBeyond.add(`${deviceId} ${sensorCode}`);
    return undefined;
  };
}
