/** The decimal sign. */
export type DecimalSign = "." | ",";

const withPoint = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const withComma = /^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$/;
/** Thousands are separated by one sign and decimals, if there are any, by the other. */
const groupedPoint = /^[+-]?[1-9]\d{0,2}(,\d{3})+(?:\.\d+)?$/;
const groupedComma = /^[+-]?[1-9]\d{0,2}(\.\d{3})+(?:,\d+)?$/;
/** Thousands are separated by blanks or apostrophes: `1 234,5`, `1'234.5`. */
const groupedBlank = /^[+-]?\d{1,3}([ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?$/;
/** 1,234 can be either, and in some files 1.234 too. */
const unclearComma = /^[+-]?[1-9]\d{0,2},\d{3}$/;
const unclearPoint = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
const below1000 = /^[+-]?\d{1,3}$/;

/** Parses a number with that decimal sign; NaN if it is not one. */
export function readNumber(given: string, sign: DecimalSign): number {
  const text = plainNumber(given);
  if (sign === ".") {
    if (withPoint.test(text)) return Number(text);
    return groupedPoint.test(text) ? Number(text.replaceAll(",", "")) : Number.NaN;
  }
  if (withComma.test(text)) return Number(text.replace(",", "."));
  return groupedComma.test(text) ? Number(text.replaceAll(".", "").replace(",", ".")) : Number.NaN;
}

/** Whether a text is a number with either decimal sign. */
export function isNumeric(given: string): boolean {
  const text = plainNumber(given);
  return withPoint.test(text) || withComma.test(text) || groupedPoint.test(text) || groupedComma.test(text);
}

/**
 * Returns the decimal sign of these texts, which may have units behind them: `unclear` if every comma in them could
 * separate thousands.
 */
export function decimalSignOf(texts: readonly string[]): DecimalSign | "unclear" {
  let unclear = 0;
  let commas = 0;
  let points = 0;
  for (const given of texts) {
    const text = withoutUnit(given);
    if (unclearComma.test(text)) unclear += 1;
    else if (text.includes(",") && (withComma.test(text) || groupedComma.test(text))) commas += 1;
    else if (text.includes(".") && (withPoint.test(text) || groupedPoint.test(text))) points += 1;
  }
  if (commas > points) return ",";
  return unclear > 0 && points === 0 ? "unclear" : ".";
}

/**
 * Whether every point in these texts could separate thousands: 1.234 beside 987. A number of four digits without a
 * point, or one with other decimals, shows that they do not.
 */
export function mayGroupByPoints(texts: readonly string[]): boolean {
  const numbers = texts.map(withoutUnit).filter(isNumeric);
  const grouped = numbers.filter((text) => unclearPoint.test(text)).length;
  const small = numbers.filter((text) => below1000.test(text)).length;
  return grouped > 0 && small > 0 && grouped + small === numbers.length;
}

function withoutUnit(given: string): string {
  const text = plainNumber(given);
  return isNumeric(text) ? text : plainNumber(splitNumberAndUnit(text)?.number ?? text);
}

/** The number with a hyphen as its minus sign, and without the blanks or apostrophes between thousands. */
function plainNumber(text: string): string {
  const first = text.charCodeAt(0);
  const signed = first === 0x2212 || first === 0x2013 ? `-${text.slice(1)}` : text;
  return groupedBlank.test(signed) ? signed.replace(/[^\d.,+-]/g, "") : signed;
}

/** Parses a number and the unit after it: `21.5 °C`; undefined if it is something else. */
export function splitNumberAndUnit(
  text: string,
): { readonly number: string; readonly unit: string } | undefined {
  const parts =
    /^([+\u2212\u2013-]?(?:\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?|[\d.,]+(?:[eE][+-]?\d+)?))\s*([^\d\s.,+-].*)$/.exec(
      text,
    );
  return parts === null ? undefined : { number: parts[1]!, unit: parts[2]! };
}
