const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const rates = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const values = new Map<number, Intl.NumberFormat>();

/** Formats a count with separators, such as 12,345. */
export function formatCount(count: bigint | number): string {
  return counts.format(count);
}

/** Formats a rate with at most one decimal. */
export function formatRate(rate: number): string {
  return rates.format(rate);
}

/**
 * Formats a value for reading: at most `digits` decimals (2 by default), fewer for large values; tiny ones in powers of
 * ten.
 */
export function formatValue(value: number | undefined, digits = 2): string {
  if (value === undefined) return "–";
  if (value !== 0 && Math.abs(value) < 10 ** -digits) return value.toExponential(2);
  const decimals = Math.abs(value) >= 100_000 ? 0 : digits;
  let format = values.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat("en", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    values.set(decimals, format);
  }
  return format.format(value);
}

/** Formats every digit of a double, like JSON. */
export function exactNumber(value: number | undefined): string {
  return value === undefined ? "–" : String(value);
}

/** Formats a size in bytes, such as 1.2 MiB. */
export function formatBytes(bytes: bigint | number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = Number(bytes);
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Formats a count with its noun, such as "1 reading" and "12,345 readings". */
export function plural(count: number | bigint, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${Number(count) === 1 ? one : many}`;
}

/** Formats the relative error of a value, such as ± 0.2 %; empty if the value is exact. */
export function formatError(relativeError: number): string {
  return relativeError === 0 ? "" : `± ${Number((relativeError * 100).toPrecision(1))} %`;
}

/** A quantile as a percentile: 0.5 is p50. */
export function percentileName(quantile: number): string {
  return `p${Number((quantile * 100).toPrecision(12))}`;
}
