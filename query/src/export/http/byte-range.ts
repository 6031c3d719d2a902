/** A part of a file: `length` bytes from `start`. */
export type ByteRange = { readonly start: number; readonly length: number };

/** The parsed Range header. */
export type RangeRequest =
  | { readonly kind: "bounded"; readonly start: number; readonly end: number }
  | { readonly kind: "suffix"; readonly length: number }
  | { readonly kind: "open"; readonly start: number };

/**
 * Parses one range in bytes; undefined for no header and for headers that may be ignored: other units, several ranges.
 */
export function rangeRequest(header: string | undefined): RangeRequest | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (first === "") return last === "" ? undefined : { kind: "suffix", length: Number(last) };
  const start = Number(first);
  if (last === "") return { kind: "open", start };
  return Number(last) < start ? undefined : { kind: "bounded", start, end: Number(last) };
}

/** Returns the part of a file of `size` bytes; undefined if the file has none there. */
export function rangeOf(request: RangeRequest, size: number): ByteRange | undefined {
  switch (request.kind) {
    case "suffix": {
      const length = Math.min(request.length, size);
      return length === 0 ? undefined : { start: size - length, length };
    }
    case "open":
      return request.start >= size ? undefined : { start: request.start, length: size - request.start };
    case "bounded": {
      if (request.start >= size) return undefined;
      return { start: request.start, length: Math.min(request.end + 1, size) - request.start };
    }
  }
}
