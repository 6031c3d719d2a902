import type { KnownSensor } from "../inspect/sensor-lookup.ts";
import { conversionOf, relatedUnits, unitOf } from "./units.ts";

const shareMin = 0.8;

/**
 * Returns the possible units of a sensor's values, if its own may be wrong: most values are outside its bounds, or they
 * are as plausible in another unit. Empty if there is no doubt.
 */
export function possibleUnits(
  { sensor, unit, minimum, maximum }: KnownSensor,
  values: readonly number[],
): readonly string[] {
  if (values.length === 0) return [];
  const fits = (other: string) => {
    const convert = conversionOf(other, unit);
    const inside = values.filter((value) => {
      const converted = convert?.(value) ?? Number.NaN;
      return converted >= minimum && converted <= maximum;
    });
    return inside.length >= values.length * shareMin;
  };
  if (!fits(unit)) return relatedUnits(unit).filter(fits);
  const other = usualElsewhere[sensor]?.(values);
  return other === undefined || unitOf(other) === unitOf(unit) ? [] : [unit, other];
}

/** Ranges of values that are plausible in another unit. */
const usualElsewhere: Readonly<Record<string, (values: readonly number[]) => string | undefined>> = {
  // Indoor and outdoor temperatures above 45 °C are rare; in °F they are common.
  temperature: (values) => (median(values) > 45 ? "°F" : undefined),
  // 600 to 830 hPa is an altitude of 1,700 to 4,200 m; 600 to 830 mmHg is the same as 800 to 1,100 hPa.
  pressure: (values) => (median(values) > 600 && median(values) < 830 ? "mmHg" : undefined),
  humidity: (values) =>
    values.every((value) => value <= 1) && values.some((value) => value > 0) ? "fraction" : undefined,
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
