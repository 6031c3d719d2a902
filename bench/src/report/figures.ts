import type { Spread } from "./statistics.ts";

/** Formats a number with three significant digits and separated thousands: 0.0123, 1.23, 12.3, 123, 12,300. */
export function figure(value: number): string {
  if (value === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = decimals === 0 ? Number(value.toPrecision(3)) : Number(value.toFixed(decimals));
  return rounded.toLocaleString("en-US", {
    minimumFractionDigits: Math.min(decimals, 10),
    maximumFractionDigits: Math.min(decimals, 10),
  });
}

/** "median (minimum – maximum)". */
export function spreadText({ median, minimum, maximum }: Spread): string {
  return `${figure(median)} (${figure(minimum)} – ${figure(maximum)})`;
}

/** "one round", "7 rounds". */
export function roundsText(rounds: number): string {
  return rounds === 1 ? "one round" : `${rounds} rounds`;
}

/** A markdown table. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** A target, and whether it is met. */
export type Target = {
  readonly text: string;
  /** The measured value, in the terms of the target. */
  readonly measured: string;
  readonly met: boolean;
};

/** One line: met or NOT met, the target, the figure. */
export function targetText({ text, measured, met }: Target): string {
  return `${met ? "met" : "NOT met"}: ${text}; measured ${measured}`;
}
