/** Writes a table in Markdown with aligned columns: those in `left` (the first by default) to the left, others to the right. */
export function tableOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left = [0] }: { readonly left?: readonly number[] } = {},
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, 4, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const isLeft = (column: number): boolean => left.includes(column);
  const cell = (text: string, column: number): string =>
    isLeft(column) ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((_, column) => cell(cells[column] ?? "", column)).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    isLeft(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
