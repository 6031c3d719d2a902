import type { Document } from "mongodb";

// Parts of pipelines that add up readings and partials, as numerically stable as the merge of query: a second moment is
// the sum of squared distances from the overall mean (Chan's formula for many parts at once), never of squares of
// values.

/** Returns the start of the window of this size that contains a date. */
export function alignedDate(date: string, sizeMs: number): Document {
  const ms = { $toLong: date };
  return { $toDate: { $subtract: [ms, { $mod: [ms, sizeMs] }] } };
}

/** Formats a date as in an `_id`: ISO 8601 in UTC with milliseconds. */
export function isoDate(date: string): Document {
  return { $dateToString: { date, format: "%Y-%m-%dT%H:%M:%S.%LZ" } };
}

/** Returns the stage that makes a partial of a group whose `_id` has device_id, sensor and window_start. */
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

/** Returns the stage that replaces partials with the same key. */
export function mergeInto(collection: string): Document {
  return { $merge: { into: collection, on: "_id", whenMatched: "replace", whenNotMatched: "insert" } };
}

/** The group stage for readings (`timestamp`, `value`); ties of extremes go to the earliest. */
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

/** The group stage for partials. */
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

/** Returns the figures of a document that `readingsGroup` made. */
export const readingsFigures = figures({
  over: "$values",
  distance: { $pow: [{ $subtract: ["$$part", "$mean"] }, 2] },
});

/** Returns the figures of a document that `partialsGroup` made. */
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

/** Returns two stages: the mean, then the figures in the form of PartialFigures. */
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
