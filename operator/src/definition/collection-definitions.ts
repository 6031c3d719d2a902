import { collections, deadLetterKinds, partialsCollection } from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";

/** The desired state of a collection; MongoDB checks its documents by `validator`. */
export type CollectionDefinition = {
  readonly collection: string;
  readonly validator: Readonly<Record<string, unknown>>;
};

/**
 * The largest absolute value of a reading: larger whole numbers lose digits. The range of every sensor lies far inside.
 * NaN and infinities are outside.
 */
export const valueMax = Number.MAX_SAFE_INTEGER;

/** The maximum length of a device id in characters, as in the contract. */
const deviceIdLengthMax = 128;

const date = { bsonType: "date" };
const text = { bsonType: "string" };
const number = { bsonType: ["int", "long", "double"] };
const whole = { bsonType: ["int", "long"], minimum: 0 };
const name = { bsonType: "string", minLength: 1 };
const device = { ...name, maxLength: deviceIdLengthMax };

/**
 * Returns every collection of a mesh's database. The validators check neither names nor ranges of sensors: ingest
 * checks them, and an older operator must never reject what ingest has acknowledged. They use no patterns either, which
 * would cost four fifths of the inserts on the stand-in.
 */
export function collectionDefinitions(options: {
  readonly levels: readonly Level[];
}): readonly CollectionDefinition[] {
  const partials = options.levels.map(({ windowMs }, level) => ({
    collection: partialsCollection(level, windowMs),
    validator: partialValidator(level === 0 ? {} : { sketches }),
  }));
  return [
    { collection: collections.messages, validator: messageValidator },
    ...partials,
    { collection: collections.deadLetters, validator: deadLetterValidator },
    { collection: collections.duplicateWindows, validator: duplicateWindowsValidator },
    { collection: collections.series, validator: seriesValidator },
    { collection: collections.seriesDuplicates, validator: seriesDuplicatesValidator },
    { collection: collections.frontier, validator: frontierValidator },
    { collection: collections.retention, validator: retentionValidator },
    { collection: collections.settings, validator: settingsValidator },
    // Only their writers read these fields, or show them to users; they change with each version.
    { collection: collections.status, validator: {} },
    { collection: collections.leases, validator: {} },
    { collection: collections.checkpoints, validator: {} },
  ];
}

/**
 * The identity in `_id` must equal the fields: otherwise one reading could be stored under two identities. It has three
 * parts, so no name contains the separator, and is ASCII, whose order is the same everywhere.
 */
const messageValidator = {
  $jsonSchema: documentOf({
    _id: text,
    device_id: device,
    sensor: name,
    timestamp: date,
    value: number,
    arrived: date,
    offset: whole,
  }),
  $expr: {
    $and: [
      ...idIs("$device_id", "$sensor", isoTime("$timestamp")),
      { $eq: [{ $strLenBytes: "$_id" }, { $strLenCP: "$_id" }] },
      ...within("$value", valueMax),
    ],
  },
};

const sketches = { bsonType: "array", items: { bsonType: "binData" } };

const partialValidator = (optional: Readonly<Record<string, object>>) => ({
  $jsonSchema: documentOf(
    {
      _id: text,
      device_id: name,
      sensor: name,
      window_start: date,
      segment_start: date,
      count: { bsonType: ["int", "long"], minimum: 1 },
      sum: number,
      minimum: number,
      minimum_at: date,
      maximum: number,
      maximum_at: date,
      first_at: date,
      first_value: number,
      last_at: date,
      last_value: number,
      m2: number,
    },
    optional,
  ),
  $expr: {
    $and: [
      ...idIs("$device_id", "$sensor", isoTime("$window_start"), isoTime("$segment_start")),
      ...["$sum", "$minimum", "$maximum", "$first_value", "$last_value", "$m2"].flatMap((field) =>
        within(field, Number.MAX_VALUE),
      ),
      { $gte: ["$m2", 0] },
    ],
  },
});

const deadLetterValidator = {
  $jsonSchema: documentOf(
    {
      _id: text,
      kind: { enum: [...deadLetterKinds] },
      reason: text,
      stage: text,
      key: { bsonType: ["string", "null"] },
      value: { bsonType: ["binData", "null"] },
      topic: text,
      partition: whole,
      offset: whole,
      arrived: date,
    },
    { device_id: text, sensor: text },
  ),
};

const duplicateWindowsValidator = {
  $jsonSchema: documentOf(
    {
      _id: text,
      device_id: name,
      sensor: name,
      window_start: date,
      first_repeat: date,
      last_repeat: date,
    },
    {
      repair: {
        bsonType: "object",
        required: ["through", "count"],
        properties: { through: date, count: whole },
      },
    },
  ),
};

const seriesDuplicatesValidator = {
  $jsonSchema: documentOf({
    _id: text,
    device_id: name,
    sensor: name,
    duplicates: whole,
    conflicts: whole,
    latest_conflicts: {
      bsonType: "array",
      items: {
        bsonType: "object",
        required: ["timestamp", "stored_value", "refused_value", "arrived"],
        properties: { timestamp: date, stored_value: number, refused_value: number, arrived: date },
      },
    },
  }),
};

const seriesValidator = { $jsonSchema: documentOf({ _id: text, device_id: name, sensor: name }) };

const frontierValidator = {
  $jsonSchema: {
    bsonType: "object",
    properties: {
      complete_through: date,
      frontiers: { bsonType: "array", items: date },
      coarse_pure_since: date,
      log_end: { bsonType: ["date", "null"] },
      updated: date,
    },
  },
};

const retentionValidator = {
  $jsonSchema: documentOf({ _id: text, raw: date, levels: { bsonType: "array", items: date } }),
};

const settingsValidator = {
  $jsonSchema: {
    bsonType: "object",
    required: ["levels", "partitions", "retain_raw_ms"],
    properties: {
      levels: {
        bsonType: "array",
        minItems: 1,
        items: {
          bsonType: "object",
          required: ["window_ms", "segment_ms"],
          properties: { window_ms: number, segment_ms: number },
        },
      },
      partitions: number,
      retain_raw_ms: { bsonType: ["int", "long", "double", "null"] },
    },
  },
};

/** Requires exactly these fields, and allows those of `optional`. */
function documentOf(
  fields: Readonly<Record<string, object>>,
  optional: Readonly<Record<string, object>> = {},
): object {
  return {
    bsonType: "object",
    required: Object.keys(fields),
    additionalProperties: false,
    properties: { ...fields, ...optional },
  };
}

function idIs(...parts: readonly unknown[]): object[] {
  const separated = parts.flatMap((part, i) => (i === 0 ? [part] : ["|", part]));
  return [
    { $eq: ["$_id", { $concat: separated }] },
    { $eq: [{ $size: { $split: ["$_id", "|"] } }, parts.length] },
  ];
}

function isoTime(field: string): object {
  return { $dateToString: { date: field, format: "%Y-%m-%dT%H:%M:%S.%LZ" } };
}

/** The bounds of a schema accept NaN; in an expression, NaN compares below every number. */
function within(field: string, max: number): object[] {
  return [{ $gte: [field, -max] }, { $lte: [field, max] }];
}
