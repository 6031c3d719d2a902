/** Returns the parts of a comma-separated list, without surrounding blanks and without empty parts. */
export function listOf(text = ""): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
