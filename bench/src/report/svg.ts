/** Returns a length or position in pixels, as an attribute of SVG. */
export function px(value: number): string {
  return value.toFixed(1);
}

/** Returns the text as content or attribute of an SVG element. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
