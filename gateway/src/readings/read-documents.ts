import type { RejectedValue } from "./gateway-reading.ts";
import { type DocumentDefaults, type DocumentReadings, readDocument } from "./read-document.ts";

/** The readings of a whole request, each with the index of its document and its field. */
export type RequestReadings = {
  readonly readings: readonly (DocumentReadings["readings"][number] & { readonly index: number })[];
  readonly rejected: readonly RejectedValue[];
};

/** The format of a body: one JSON value, or one on each line. */
export type DocumentForm = "json" | "ndjson";

/**
 * Reads a body of documents: an object, an array of objects, `{"readings": [...]}`, or with `ndjson` one object on each
 * line; a malformed line then does not affect the others.
 * @throws SyntaxError if the body is not JSON.
 */
export function readDocuments(text: string, form: DocumentForm, defaults: DocumentDefaults): RequestReadings {
  const documents: DocumentReadings[] = [];
  if (form === "json") {
    for (const document of documentsOf(parseJson(text))) documents.push(readDocument(document, defaults));
  } else {
    for (const [place, line] of text.split("\n").entries()) {
      if (line.trim() !== "") documents.push(readLine(line, place + 1, defaults));
    }
  }
  return {
    readings: documents.flatMap(({ readings }, index) => readings.map((reading) => ({ ...reading, index }))),
    rejected: documents.flatMap(({ rejected }, index) => rejected.map((value) => ({ index, ...value }))),
  };
}

function documentsOf(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  const isWrapped =
    typeof json === "object" && json !== null && "readings" in json && Array.isArray(json.readings);
  return isWrapped ? (json.readings as unknown[]) : [json];
}

function readLine(line: string, number: number, defaults: DocumentDefaults): DocumentReadings {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch (error) {
    const text = `line ${number} is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return { readings: [], rejected: [{ field: "", rule: "document.json", text }] };
  }
  return readDocument(json, defaults);
}

/** A time that a double cannot hold exactly, such as nanoseconds since 1970, stays a string of digits. */
export function parseJson(text: string): unknown {
  if (!/\d{17}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, function keepTimes(key, value: unknown, context?: { readonly source?: string }) {
    const isTime = (key === "timestamp" || key === "time") && typeof value === "number";
    return isTime && !Number.isSafeInteger(value) && /^\d+$/.test(context?.source ?? "")
      ? context?.source
      : value;
  });
}
