import type { Document } from "mongodb";

// Pieces of pipelines that add up readings and partials, as stable as the merge of query: a second moment is
// the sum of distances from the mean of all (Chan's formula for many parts at once), never of squares of values.

/** The start of the window of this size that a date lies in. */
export function alignedDate(date: string, sizeMs: number): Document {
  const ms = { $toLong: date };
  return { $toDate: { $subtract: [ms, { $mod: [ms, sizeMs] }] } };
}

/** A date as in an `_id`: ISO 8601 in UTC with milliseconds. */
export function isoDate(date: string): Document {
  return { $dateToString: { date, format: "%Y-%m-%dT%H:%M:%S.%LZ" } };
}

/** The stage that makes a partial of a group whose `_id` has device_id, sensor and window_start. */
export function foldedDocument(segment: Date, fields: Document): Document {
  return {
    $project: {
      _id: {
        $concat: [
          "$_id.device_id",
          "|",
          "$_id.sensor",
          "|",
          isoDate("$_id.window_start"),
          `|${segment.toISOString()}`,
        ],
      },
      device_id: "$_id.device_id",
      sensor: "$_id.sensor",
      window_start: "$_id.window_start",
      segment_start: { $literal: segment },
      ...fields,
    },
  };
}

/** The stage that writes partials in place of those with the same key. */
export function mergeInto(collection: string): Document {
  return { $merge: { into: collection, on: "_id", whenMatched: "replace", whenNotMatched: "insert" } };
}

/** What readings (`timestamp`, `value`) are grouped into, ties of extremes going to the earliest. */
export const readingsGroup: Document = {
  values: { $push: "$value" },
  ...group({
    count: 1,
    sum: "$value",
    minimum: { by: { value: 1, timestamp: 1 }, at: "$timestamp", value: "$value" },
    maximum: { by: { value: -1, timestamp: 1 }, at: "$timestamp", value: "$value" },
    first: { by: { timestamp: 1 }, at: "$timestamp", value: "$value" },
    last: { by: { timestamp: -1 }, at: "$timestamp", value: "$value" },
  }),
};

/** What partials are grouped into. */
export const partialsGroup: Document = {
  parts: { $push: { count: "$count", sum: "$sum", m2: "$m2" } },
  ...group({
    count: "$count",
    sum: "$sum",
    minimum: { by: { minimum: 1, minimum_at: 1 }, at: "$minimum_at", value: "$minimum" },
    maximum: { by: { maximum: -1, maximum_at: 1 }, at: "$maximum_at", value: "$maximum" },
    first: { by: { first_at: 1 }, at: "$first_at", value: "$first_value" },
    last: { by: { last_at: -1 }, at: "$last_at", value: "$last_value" },
  }),
};

/** The figures of a document that `readingsGroup` made. */
export const readingsFigures = figures({
  over: "$values",
  distance: { $pow: [{ $subtract: ["$$part", "$mean"] }, 2] },
});

/** The figures of a document that `partialsGroup` made. */
export const partialsFigures = figures({
  over: "$parts",
  distance: {
    $add: [
      "$$part.m2",
      {
        $multiply: [
          "$$part.count",
          { $pow: [{ $subtract: [{ $divide: ["$$part.sum", "$$part.count"] }, "$mean"] }, 2] },
        ],
      },
    ],
  },
});

type Extreme = { readonly by: Record<string, 1 | -1>; readonly at: string; readonly value: string };

function group(of: {
  readonly count: string | 1;
  readonly sum: string;
  readonly minimum: Extreme;
  readonly maximum: Extreme;
  readonly first: Extreme;
  readonly last: Extreme;
}): Document {
  const top = ({ by, at, value }: Extreme): Document => ({ $top: { sortBy: by, output: { at, value } } });
  return {
    count: { $sum: of.count },
    sum: { $sum: of.sum },
    lowest: top(of.minimum),
    highest: top(of.maximum),
    first: top(of.first),
    last: top(of.last),
  };
}

/** Two stages: the mean, then the figures as PartialFigures has them. */
function figures(options: { readonly over: string; readonly distance: Document }) {
  const m2 = { $sum: { $map: { input: options.over, as: "part", in: options.distance } } };
  return {
    mean: { $set: { mean: { $divide: ["$sum", "$count"] } } },
    fields: {
      count: "$count",
      sum: "$sum",
      minimum: "$lowest.value",
      minimum_at: "$lowest.at",
      maximum: "$highest.value",
      maximum_at: "$highest.at",
      first_at: "$first.at",
      first_value: "$first.value",
      last_at: "$last.at",
      last_value: "$last.value",
      m2,
    } satisfies Document,
  };
}
