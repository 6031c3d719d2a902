import type { SensorName } from "@devicemesh/proto";
import type { SeriesFilter, SeriesName } from "./reading-store.ts";

/**
 * A search of devices by their ids: a text that they contain or begin with, or a pattern of * and ?. ASCII letters match
 * in either case.
 */
export type SeriesSearch = { readonly kind: "contains" | "prefix" | "glob"; readonly text: string };

/** The request for a page of series in the order (device_id, sensor). */
export type SeriesRequest = {
  readonly filter: SeriesFilter;
  readonly search?: SeriesSearch | undefined;
  /** Only those after this one; from the first by default. */
  readonly after?: SeriesName;
  readonly limit: number;
};

/** A page of series, and the number of all matches. */
export type SeriesFound = {
  readonly series: readonly { readonly deviceId: string; readonly sensor: SensorName }[];
  readonly total: number;
};

/** The request for series by their latest readings. */
export type LatestSeriesRequest = Omit<SeriesRequest, "after"> & {
  /** By name, or by the latest timestamp, then by name. */
  readonly order: "name" | "latestFirst" | "silentLongest";
  /** Only those whose latest timestamp is in [sinceMs, toMs); without readings it is -Infinity. */
  readonly latest: { readonly sinceMs: number; readonly toMs: number };
  /** Only those after this position in the order. */
  readonly after?: LatestPlace | undefined;
};

/** A position in an order by latest timestamp. */
export type LatestPlace = SeriesName & { readonly latestMs: number };

/** A page of series with their latest timestamps, ms since 1970, and the number of all matches. */
export type LatestSeriesFound = {
  readonly series: readonly (LatestPlace & { readonly sensor: SensorName })[];
  readonly total: number;
};

/** Returns the predicate of a search; it accepts all devices if there is none. */
export function searchMatcher(search: SeriesSearch | undefined): (deviceId: string) => boolean {
  if (!search) return () => true;
  const text = lowerCase(search.text);
  // Device ids are ASCII, so toLowerCase changes nothing else.
  switch (search.kind) {
    case "contains":
      return (deviceId) => deviceId.toLowerCase().includes(text);
    case "prefix":
      return (deviceId) => deviceId.toLowerCase().startsWith(text);
    case "glob":
      return (deviceId) => matchesGlob(deviceId.toLowerCase(), text);
  }
}

/** Returns the first and the last spelling of a text in the order of names: all in upper and all in lower case. */
export function spellingsOf(text: string): { readonly first: string; readonly last: string } {
  return { first: text.replace(/[a-z]/g, (letter) => letter.toUpperCase()), last: lowerCase(text) };
}

/** Other letters than those of ASCII are never in a device id, whatever their other case is. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Returns a search as a regular expression, for databases. It names both cases of a letter, because databases differ in
 * what else they ignore.
 */
export function searchPattern({ kind, text }: SeriesSearch): string {
  const escaped = text
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replace(/[a-zA-Z]/g, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
  switch (kind) {
    case "contains":
      return escaped;
    case "prefix":
      return `^${escaped}`;
    case "glob":
      return `^${escaped.replace(/(\\\*)+/g, ".*").replaceAll("\\?", ".")}$`;
  }
}

/** Whether a pattern matches all of a text; in at most as many steps as the product of their lengths. */
function matchesGlob(text: string, pattern: string): boolean {
  let [at, place] = [0, 0];
  // The position of the last *, and the end of its current match.
  let [star, reach] = [-1, 0];
  while (at < text.length) {
    const wanted = pattern[place];
    if (wanted === "*") {
      [star, reach] = [place, at];
      place++;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[at])) {
      at++;
      place++;
    } else if (star >= 0) {
      reach++;
      [at, place] = [reach, star + 1];
    } else return false;
  }
  while (pattern[place] === "*") place++;
  return place === pattern.length;
}
