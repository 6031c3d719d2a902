/** The shape of some values as a small picture; it is decoration, so the values themselves stand beside it. */
export function Sparkline({
  values,
  width = 120,
  height = 28,
  from,
}: {
  readonly values: readonly (number | undefined)[];
  readonly width?: number;
  readonly height?: number;
  /** A value that is always inside, such as 0 for rates. */
  readonly from?: number;
}) {
  const path = sparklinePath(values, { width, height, from });
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}

/** The path of the values at equal distances, inside the picture; an undefined value breaks it. Pure. */
export function sparklinePath(
  values: readonly (number | undefined)[],
  {
    width,
    height,
    from,
  }: { readonly width: number; readonly height: number; readonly from?: number | undefined },
): string {
  const present = [...values, from].filter((value) => value !== undefined);
  const minimum = Math.min(...present);
  const range = Math.max(...present) - minimum;
  const step = width / Math.max(values.length - 1, 1);
  let command = "M";
  return values
    .map((value, index) => {
      if (value === undefined) {
        command = "M";
        return "";
      }
      const share = range === 0 ? 0.5 : (value - minimum) / range;
      const point = `${command}${(index * step).toFixed(1)} ${(height - 2 - share * (height - 4)).toFixed(1)}`;
      // A value alone is a dot.
      const isAlone = command === "M" && values[index + 1] === undefined;
      command = "L";
      return isAlone ? `${point}h.1` : point;
    })
    .join("");
}
