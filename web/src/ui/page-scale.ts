import { useEffect, useState } from "preact/hooks";

/** The size of text on a usual screen, in px; style sheets make it larger on very wide ones. */
const usualFontPx = 15;
const narrow = matchMedia("(max-width: 52rem)");

/** How much larger than usual the page draws its text: charts and rows, whose sizes are in px, grow with it. */
export function pageScale(): number {
  const px = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return Number.isFinite(px) ? px / usualFontPx : 1;
}

/** Whether the page is laid out for a phone. */
export function useIsNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const update = (): void => setNarrow(narrow.matches);
    update();
    narrow.addEventListener("change", update);
    return () => narrow.removeEventListener("change", update);
  }, []);
  return isNarrow;
}
