/** Number of different line colours. */
export const linesMax = 8;

/** The colours of lines, distinct on both backgrounds and with the usual forms of colour blindness. */
const light = ["#0a7d70", "#c2410c", "#5b4bc4", "#b3246b", "#1d6fd1", "#7a6a00", "#4d7c0f", "#6b4a2f"];
const dark = ["#3fd0bd", "#ff9d5c", "#a99bff", "#ff85b8", "#6db4ff", "#e0cb4a", "#a3d94f", "#d1a77f"];

/** Returns the colour of the line with that index. */
export function lineColour(place: number, isDark: boolean): string {
  const colours = isDark ? dark : light;
  return colours[place % colours.length] ?? "#888";
}

/** The colours of the chart's other parts. */
export function chartColours(isDark: boolean): { readonly ink: string; readonly grid: string } {
  return isDark ? { ink: "#93a1b3", grid: "#222c38" } : { ink: "#5a6778", grid: "#e8ecf1" };
}
