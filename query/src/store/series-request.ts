import type { SensorName } from "@devicemesh/proto";
import type { SeriesFilter, SeriesName } from "./reading-store.ts";

/** Which devices, by their ids: text that is in them, that they begin with, or a pattern of * and ?. */
export type SeriesSearch = { readonly kind: "contains" | "prefix" | "glob"; readonly text: string };

/** Which series to find, a page at a time, in the order (device_id, sensor). */
export type SeriesRequest = {
  readonly filter: SeriesFilter;
  readonly search?: SeriesSearch | undefined;
  /** Only those after this one; from the first by default. */
  readonly after?: SeriesName;
  readonly limit: number;
};

/** A page of series, and how many match in all. */
export type SeriesFound = {
  readonly series: readonly { readonly deviceId: string; readonly sensor: SensorName }[];
  readonly total: number;
};

/** Which series to find by their latest readings. */
export type LatestSeriesRequest = Omit<SeriesRequest, "after"> & {
  /** By name, or by the latest timestamp, then by name. */
  readonly order: "name" | "latestFirst" | "silentLongest";
  /** Only those whose latest timestamp is in [sinceMs, toMs); of no readings it is -Infinity. */
  readonly latest: { readonly sinceMs: number; readonly toMs: number };
  /** Only those after this place in the order. */
  readonly after?: LatestPlace | undefined;
};

/** A place in an order by latest timestamp. */
export type LatestPlace = SeriesName & { readonly latestMs: number };

/** A page of series with their latest timestamps, ms since 1970, and how many match in all. */
export type LatestSeriesFound = {
  readonly series: readonly (LatestPlace & { readonly sensor: SensorName })[];
  readonly total: number;
};

/** Tells the devices of a search; all if there is none. */
export function searchMatcher(search: SeriesSearch | undefined): (deviceId: string) => boolean {
  if (!search) return () => true;
  const { kind, text } = search;
  switch (kind) {
    case "contains":
      return (deviceId) => deviceId.includes(text);
    case "prefix":
      return (deviceId) => deviceId.startsWith(text);
    case "glob":
      return (deviceId) => matchesGlob(deviceId, text);
  }
}

/** A search as a regular expression, for databases. */
export function searchPattern({ kind, text }: SeriesSearch): string {
  const escaped = text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  switch (kind) {
    case "contains":
      return escaped;
    case "prefix":
      return `^${escaped}`;
    case "glob":
      return `^${escaped.replace(/(\\\*)+/g, ".*").replaceAll("\\?", ".")}$`;
  }
}

/** Whether a pattern matches all of a text; at most their lengths multiplied in steps, whatever they are. */
function matchesGlob(text: string, pattern: string): boolean {
  let [at, place] = [0, 0];
  // Where the last * is, and how far what it stands for reaches.
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
