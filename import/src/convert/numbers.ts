/** The sign between whole and decimal digits. */
export type DecimalSign = "." | ",";

const withPoint = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const withComma = /^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$/;
/** Thousands are separated by one sign and decimals by the other: that is clear whatever the rest of the file does. */
const groupedPoint = /^[+-]?\d{1,3}(,\d{3})+\.\d+$/;
const groupedComma = /^[+-]?\d{1,3}(\.\d{3})+,\d+$/;
/** 1,234 can be either. */
const unclearComma = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** The number of a text with that decimal sign; NaN if it is none. */
export function readNumber(text: string, sign: DecimalSign): number {
  if (sign === ".") {
    if (withPoint.test(text)) return Number(text);
    return groupedPoint.test(text) ? Number(text.replaceAll(",", "")) : Number.NaN;
  }
  if (withComma.test(text)) return Number(text.replace(",", "."));
  return groupedComma.test(text) ? Number(text.replaceAll(".", "").replace(",", ".")) : Number.NaN;
}

/** Whether a text is a number with either sign. */
export function isNumeric(text: string): boolean {
  return withPoint.test(text) || withComma.test(text) || groupedPoint.test(text) || groupedComma.test(text);
}

/** The decimal sign of these texts: `unclear` if all that have a comma could be thousands as well. */
export function decimalSignOf(texts: readonly string[]): DecimalSign | "unclear" {
  let unclear = 0;
  let commas = 0;
  let points = 0;
  for (const text of texts) {
    if (unclearComma.test(text)) unclear += 1;
    else if (text.includes(",") && (withComma.test(text) || groupedComma.test(text))) commas += 1;
    else if (text.includes(".") && (withPoint.test(text) || groupedPoint.test(text))) points += 1;
  }
  if (commas > points) return ",";
  return unclear > 0 && points === 0 ? "unclear" : ".";
}

/** A number and the unit behind it: `21.5 °C`; undefined if it is something else. */
export function splitNumberAndUnit(
  text: string,
): { readonly number: string; readonly unit: string } | undefined {
  const parts = /^([+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*([^\d\s.,+-].*)$/.exec(text);
  return parts === null ? undefined : { number: parts[1]!, unit: parts[2]! };
}
