/** The parts of a list that is written with commas. */
export function listOf(text = ""): string[] {
  return text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
}
