/** The parts of a list that is written with commas, without blanks around them and without empty parts. */
export function listOf(text = ""): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
