import { type LinePoint, type LinePrecision, type LineProblem, readLineRecord } from "./line-protocol.ts";

/** Reads line protocol that arrives in pieces. */
export type LineProtocolReader = {
  /** Reads every record that this text completes. */
  push(text: string): void;
  /** Reads the rest. Nothing may be pushed after it. */
  end(): void;
};

/** Maximum length of a record in characters (line protocol has one record on each line). */
export const lineRecordCharactersMax = 64 * 1024;

/**
 * Reads records and reports each, in order: `onPoint` for well-formed ones, `onProblem` for a malformed line, which is
 * skipped. `recordCharactersMax` bounds the memory: a longer record is a problem of its first line.
 */
export function createLineProtocolReader({
  precision = "ns",
  recordCharactersMax = lineRecordCharactersMax,
  onPoint,
  onProblem,
}: {
  readonly precision?: LinePrecision;
  readonly recordCharactersMax?: number;
  onPoint(point: LinePoint): void;
  onProblem(problem: LineProblem): void;
}): LineProtocolReader {
  let rest = "";
  let line = 1;
  let isSkipping = false;

  /** Reads records from the start of `rest`; the last line counts as complete if `isLast`. */
  function read(isLast: boolean): void {
    let at = 0;
    while (at < rest.length) {
      const isTooLong = rest.length - at > recordCharactersMax;
      if (isSkipping && !skipLine()) break;
      const record = readLineRecord(rest, at, { precision, isLast: isLast || isTooLong });
      if (record.kind === "incomplete") break;
      const isCutOff = !isLast && record.next >= rest.length && !rest.endsWith("\n");
      if (record.kind === "point" && !isCutOff && record.next - at <= recordCharactersMax + 1) {
        onPoint({ line, ...record.point });
      } else if (record.kind === "problem" && !isCutOff) {
        onProblem({ line: line + newlines(at, record.at), column: columnOf(record.at), text: record.text });
      } else if (record.kind !== "nothing") {
        const text = `the record is longer than ${recordCharactersMax} characters`;
        onProblem({ line, column: 1, text });
      }
      if (isCutOff) isSkipping = true;
      line += newlines(at, record.next);
      at = record.next;
    }
    rest = rest.slice(at);

    /** Drops the rest of a line that was too long. Returns false if its end has not arrived. */
    function skipLine(): boolean {
      const end = rest.indexOf("\n", at);
      at = end === -1 ? rest.length : end + 1;
      if (end === -1) return false;
      line += 1;
      isSkipping = false;
      return true;
    }
    function columnOf(place: number): number {
      return place - rest.lastIndexOf("\n", place - 1);
    }
  }
  function newlines(from: number, to: number): number {
    let count = 0;
    for (let at = rest.indexOf("\n", from); at !== -1 && at < to; at = rest.indexOf("\n", at + 1)) count += 1;
    return count;
  }
  return {
    push(text) {
      rest += text;
      read(false);
    },
    end: () => read(true),
  };
}
