import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { SeriesOrder, SeriesState } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { query } from "../clients.ts";
import { usePolled } from "../use-polled.ts";
import { type KnownSeries, knownSeries } from "./known-series.ts";
import { searchOf } from "./series-search.ts";

/** Which series a list shows, and in which order; the server selects them. */
export type SeriesQuestion = {
  /** A part of a device id, or a pattern with `*` and `?`; empty means all. */
  readonly search: string;
  /** One sensor; empty means all. */
  readonly sensor: string;
  readonly state: "all" | "online" | "silent";
  readonly order: "name" | "latest" | "silent";
  /** After how long without readings a series is silent, in ms. */
  readonly silentAfterMs: number;
};

/** The series of a list that have been read so far. */
export type SeriesPages = {
  readonly series: readonly KnownSeries[];
  /** How many match in all; undefined before the first answer. */
  readonly total: number | undefined;
  readonly problem: ConnectError | undefined;
  /** Reads the next page; does nothing while one is being read or there is none. */
  readMore(): void;
};

const firstPageSize = 100;
const nextPageSize = 500;
const pollMs = 2000;

/** A list of series that grows as it is scrolled. Its first page is read again every few seconds. */
export function useSeriesPages(question: SeriesQuestion): SeriesPages {
  const key = JSON.stringify(question);
  const { answer, problem } = usePolled(key, pollMs, async (signal) => ({
    key,
    ...(await readPage(question, { pageSize: firstPageSize, pageToken: "" }, signal)),
  }));
  const [more, setMore] = useState<{ key: string; series: readonly KnownSeries[]; nextPageToken: string }>();
  const reading = useRef<AbortController>(undefined);
  useEffect(() => () => reading.current?.abort(), [key]);
  const first = answer?.key === key ? answer : undefined;
  const rest = more?.key === key ? more : undefined;
  const nextPageToken = rest?.nextPageToken ?? first?.nextPageToken ?? "";

  async function readNext(): Promise<void> {
    const ending = new AbortController();
    reading.current = ending;
    try {
      const page = await readPage(
        question,
        { pageSize: nextPageSize, pageToken: nextPageToken },
        ending.signal,
      );
      if (!ending.signal.aborted)
        setMore({ ...page, key, series: [...(rest?.series ?? []), ...page.series] });
    } catch {
      // The next scroll tries again; the first page shows what is wrong.
    } finally {
      if (reading.current === ending) reading.current = undefined;
    }
  }
  return {
    series: joined(first?.series ?? [], rest?.series ?? []),
    total: first?.total,
    problem,
    readMore() {
      if (nextPageToken !== "" && !reading.current) void readNext();
    },
  };
}

/** The first page and what follows it. A new series moves others to the next page: they are listed once. Pure. */
export function joined(first: readonly KnownSeries[], rest: readonly KnownSeries[]): readonly KnownSeries[] {
  if (rest.length === 0) return first;
  const keys = new Set(first.map(({ key }) => key));
  return [...first, ...rest.filter(({ key }) => !keys.has(key))];
}

async function readPage(
  { search, sensor, state, order, silentAfterMs }: SeriesQuestion,
  page: { readonly pageSize: number; readonly pageToken: string },
  signal: AbortSignal,
) {
  const { series, total, nextPageToken } = await query.listSeries(
    {
      ...page,
      sensors: sensor === "" ? [] : [sensor],
      search: searchOf(search),
      state: states[state],
      order: orders[order],
      silentAfter: durationFromMs(silentAfterMs),
    },
    { signal },
  );
  return { series: series.map(knownSeries), total: Number(total), nextPageToken };
}

const states = {
  all: SeriesState.UNSPECIFIED,
  online: SeriesState.ONLINE,
  silent: SeriesState.SILENT,
} as const;

const orders = {
  name: SeriesOrder.NAME,
  latest: SeriesOrder.LATEST_FIRST,
  silent: SeriesOrder.SILENT_LONGEST,
} as const;
