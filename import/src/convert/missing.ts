/** Texts that loggers write for a missing value. */
const missingTexts = new Set([
  "",
  "unavailable",
  "unknown",
  "nan",
  "-nan",
  "none",
  "null",
  "nil",
  "na",
  "n/a",
  "n.a.",
  "#n/a",
  "missing",
  "-",
  "--",
  "---",
  "--.-",
  "---.-",
  "–",
  "—",
  "?",
  "#div/0!",
  "#value!",
  "#ref!",
  "#num!",
  "#name?",
  "#null!",
]);

/**
 * Whether a text means that the value is missing: texts of loggers, and those that the user lists, numbers as numbers.
 */
export function isMissing(stated: readonly string[]): (text: string) => boolean {
  const texts = new Set([...missingTexts, ...stated.map((text) => text.trim().toLowerCase())]);
  const numbers = new Set(
    stated.map((text) => Number(text.replace(",", "."))).filter((value) => !Number.isNaN(value)),
  );
  return (text) => {
    if (text === "") return true;
    const code = text.charCodeAt(0);
    const isDigit = code >= 48 && code <= 57;
    if (!isDigit && texts.has(text.toLowerCase())) return true;
    if (numbers.size === 0) return false;
    return numbers.has(Number(text.includes(".") ? text : text.replace(",", ".")));
  };
}
