import { formatValue } from "../format/numbers.ts";

const decimalsMax = 6;

/** The labels of an axis, with the fewest decimals (at most 6) that show every tick where it is. Pure. */
export function tickTexts(ticks: readonly number[]): string[] {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) || 1;
  let decimals = 0;
  while (decimals < decimalsMax && ticks.some((tick) => isMoved(tick, decimals, step))) decimals++;
  return ticks.map((tick) => formatValue(tick, decimals));
}

/** Whether rounding moves a tick to another place, beyond the errors of sums of steps. */
function isMoved(tick: number, decimals: number, step: number): boolean {
  return Math.abs(Number(tick.toFixed(decimals)) - tick) > step / 1000;
}
