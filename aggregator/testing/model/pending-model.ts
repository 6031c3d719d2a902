import { figuresOf, type ModelFigures, type ModelReading, merged, nothing } from "./engines-model.ts";

/** What a horizon contains about messages whose broker's clock had stepped back. */
export type ModelCoverage = {
  readonly completeThroughMs: number;
  /** By partition: the messages before are in partials, or marked. */
  readonly checked: ReadonlyMap<number, number>;
};

/**
 * Whether an answer need not contain a reading yet: it was appended with a time before others, none of which is
 * covered itself.
 */
function isPending(
  { arrivedMs, newestMs, offset }: ModelReading,
  { completeThroughMs, checked }: ModelCoverage,
  partition: number,
): boolean {
  return arrivedMs < newestMs && newestMs >= completeThroughMs && offset >= (checked.get(partition) ?? 0);
}

/** Whether the figures are those of these readings, with any of the pending ones left out. */
export function isExact(
  given: ModelFigures,
  readings: readonly ModelReading[],
  options: { readonly coverage: ModelCoverage; readonly partition: number },
): boolean {
  const isLate = (reading: ModelReading): boolean => isPending(reading, options.coverage, options.partition);
  const late = readings.filter(isLate);
  const sure = sumOf(readings.filter((reading) => !isLate(reading)));
  const isReached = (sum: ModelFigures, place: number): boolean => {
    const next = late[place];
    if (!next) return isSame(sum, given);
    if (sum.count > given.count) return false;
    return isReached(merged(sum, figuresOf(next.value)), place + 1) || isReached(sum, place + 1);
  };
  return isSame(sumOf(readings), given) || isReached(sure, 0);
}

export function sumOf(readings: readonly ModelReading[]): ModelFigures {
  return readings.reduce<ModelFigures>((sum, { value }) => merged(sum, figuresOf(value)), nothing);
}

export function figuresText({ count, sum, minimum, maximum }: ModelFigures): string {
  return JSON.stringify({ count, sum, minimum, maximum });
}

function isSame(a: ModelFigures, b: ModelFigures): boolean {
  return a.count === b.count && a.sum === b.sum && a.minimum === b.minimum && a.maximum === b.maximum;
}
