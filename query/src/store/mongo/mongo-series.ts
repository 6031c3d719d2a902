import { collections, type SeriesDocument } from "@devicemesh/pipeline";
import type { Db, Document } from "mongodb";
import { compareSeries } from "../../plan/series-order.ts";
import type { ReadingStore, SeriesFilter, SeriesName } from "../reading-store.ts";
import { type SeriesRequest, type SeriesSearch, searchPattern, spellingsOf } from "../series-request.ts";
import { between, seriesCondition } from "./mongo-conditions.ts";
import { allEnded, type LargeReadOptions } from "./mongo-large-reads.ts";

type Series = Pick<SeriesDocument, "device_id" | "sensor">;

/** Returns the pipeline that finds new series that are not registered yet. Pure. */
export function newSeriesPipeline(
  filter: SeriesFilter,
  search: SeriesSearch | undefined,
  frontierMs: number,
): Document[] {
  const condition = { ...seriesCondition(filter), ...searchCondition(search) };
  return [
    { $match: between("arrived", frontierMs, Number.POSITIVE_INFINITY) },
    ...(Object.keys(condition).length > 0 ? [{ $match: condition }] : []),
    { $group: { _id: { device_id: "$device_id", sensor: "$sensor" } } },
    {
      $project: {
        _id: { $concat: ["$_id.device_id", "|", "$_id.sensor"] },
        device_id: "$_id.device_id",
        sensor: "$_id.sensor",
      },
    },
    { $lookup: { from: collections.series, localField: "_id", foreignField: "_id", as: "registered" } },
    { $match: { registered: { $size: 0 } } },
    { $project: { device_id: 1, sensor: 1 } },
  ];
}

/** Returns the stages that find registered series that match the filter, are none of these and follow the position. */
export function registeredStages(request: {
  readonly filter: SeriesFilter;
  readonly search?: SeriesSearch | undefined;
  readonly except: readonly string[];
  readonly after?: SeriesName | undefined;
}): Document[] {
  const { filter, search, except, after } = request;
  const conditions = [
    // All have a device_id; the condition lets the database use the index.
    { device_id: { $gte: laterName(after?.deviceId, search), ...prefixEnd(search) } },
    seriesCondition(filter),
    searchCondition(search),
    ...(except.length > 0 ? [{ _id: { $nin: [...except] } }] : []),
    ...(after ? [{ $or: placesAfter(after) }] : []),
  ];
  return conditions
    .filter((condition) => Object.keys(condition).length > 0)
    .map((condition) => ({ $match: condition }));
}

/**
 * Returns the condition of a search; empty if there is none. The filter may name devices too, so it is combined with
 * it.
 */
function searchCondition(search: SeriesSearch | undefined): Document {
  return search ? { $and: [{ device_id: { $regex: searchPattern(search) } }] } : {};
}

/** Returns the name from which on an index is searched; names that begin with a prefix lie between its spellings. */
function laterName(after = "", search: SeriesSearch | undefined): string {
  const first = search?.kind === "prefix" ? spellingsOf(search.text).first : "";
  return first > after ? first : after;
}

/** Returns the end of the names of a prefix: all are ASCII. */
function prefixEnd(search: SeriesSearch | undefined): Document {
  return search?.kind === "prefix" ? { $lt: `${spellingsOf(search.text).last}\u007f` } : {};
}

function placesAfter({ deviceId, sensor }: SeriesName): Document[] {
  return [{ device_id: { $gt: deviceId } }, { device_id: deviceId, sensor: { $gt: sensor } }];
}

/**
 * Finds series: the registered ones, which all have readings that arrived before the frontier, and those that have only
 * newer ones. The latter are read first, so that a series that is registered meanwhile is not missed.
 */
export async function findSeries(
  db: Db,
  request: SeriesRequest & { readonly frontierMs: number },
  options: LargeReadOptions,
): Promise<Awaited<ReturnType<ReadingStore["readSeries"]>>> {
  const { filter, search, after, limit, frontierMs } = request;
  const registered = db.collection<SeriesDocument>(collections.series);
  const added = await db
    .collection(collections.messages)
    .aggregate<SeriesDocument>(newSeriesPipeline(filter, search, frontierMs), { ...options })
    .toArray();
  const except = added.map(({ _id }) => _id);
  const [known, [counted]] = await allEnded([
    registered
      .aggregate<Series>(
        [
          ...registeredStages({ filter, search, except, after }),
          { $sort: { device_id: 1, sensor: 1 } },
          { $limit: limit },
          { $project: { _id: 0, device_id: 1, sensor: 1 } },
        ],
        { ...options },
      )
      .toArray(),
    registered
      .aggregate<{ readonly total: number }>(
        [...registeredStages({ filter, search, except }), { $count: "total" }],
        {
          ...options,
        },
      )
      .toArray(),
  ]);
  const total = Number(counted?.total ?? 0) + added.length;
  const series = [...known, ...added]
    .map(({ device_id, sensor }) => ({ deviceId: device_id, sensor }))
    .filter((each) => after === undefined || compareSeries(each, after) > 0)
    .sort(compareSeries);
  return { series: series.slice(0, limit), total };
}
