import { createHash } from "node:crypto";
import {
  appendTo,
  filter,
  groupBy,
  project,
  queryBytes,
  type Relation,
  type StreamingQuery,
  streamFrom,
  unionAll,
  withWatermark,
} from "../spark/spark-relations.ts";

/** What the window job means. A change of any of it needs a new checkpoint. */
export type WindowPlanMeaning = {
  /** The topic of messages; its append times must be the broker's. */
  readonly topic: string;
  /** The topic of partials. */
  readonly outputTopic: string;
  /** How many partitions `topic` has. */
  readonly partitions: number;
  readonly windowMs: number;
  readonly segmentMs: number;
};

/** What may differ from start to start. */
export type WindowPlanRun = {
  /** host:port of Kafka's brokers, as Spark's driver and executors reach them. */
  readonly brokers: readonly string[];
  /** A folder or URI that Spark's driver and executors can write to. */
  readonly checkpointLocation: string;
  readonly queryName: string;
  /** Messages that arrived before are left out, ms since 1970: a multiple of `segmentMs`, fixed with the checkpoint. */
  readonly sinceMs: number;
  /** Where the first start from a checkpoint reads from, by partition; the earliest where none is given. */
  readonly startingOffsets: ReadonlyMap<number, number>;
  /** How far append times may step back within a partition, in ms. */
  readonly watermarkDelayMs: number;
  /** The most messages of a partition in one batch. */
  readonly maxOffsetsPerTrigger: number;
  /** How often a batch starts, in ms. */
  readonly triggerMs: number;
};

/**
 * What a session must be set to for the plan to mean what it says. The batch's watermark is the minimum over
 * the partitions, and a segment is written even when nothing follows it.
 */
export const windowSessionSettings: Readonly<Record<string, string>> = {
  "spark.sql.session.timeZone": "UTC",
  "spark.sql.ansi.enabled": "false",
  "spark.sql.shuffle.partitions": "2",
  "spark.sql.streaming.multipleWatermarkPolicy": "min",
  "spark.sql.streaming.noDataMicroBatches.enabled": "true",
};

const isoFormat = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";
const identityPattern = "^[^|]+[|][^|]+[|][0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$";

/**
 * The one plan: messages to partials of (series, window of `timestamp`, segment of `arrived`), each written
 * once, when its segment is over on every partition.
 *
 * It counts every message that the raw store could take, and some that it refuses; the latter become dead
 * letters and mark their windows. The other way round a reading would be missing from its window. So the
 * identity is the record's key, to which the raw store holds the fields, and the time is read from it alone.
 */
export function windowPlan(options: WindowPlanMeaning & WindowPlanRun): StreamingQuery {
  const { partitions, outputTopic, brokers, checkpointLocation, queryName, triggerMs } = options;
  const sources = Array.from({ length: partitions }, (_, partition) => messagesOf(partition, options));
  return appendTo(partialsOf(unionAll(sources), options), {
    format: "kafka",
    options: {
      "kafka.bootstrap.servers": brokers.join(","),
      "kafka.acks": "all",
      topic: outputTopic,
      checkpointLocation,
    },
    queryName,
    triggerMs,
  });
}

/**
 * One source and one watermark for each partition: Spark takes the minimum of the watermarks, so no message
 * is late for its segment however unevenly the partitions are read. The columns are computed before the
 * watermark, once a row. `value` is null where the raw store surely takes nothing.
 */
function messagesOf(partition: number, options: WindowPlanMeaning & WindowPlanRun): Relation {
  const { topic, brokers, startingOffsets, maxOffsetsPerTrigger, watermarkDelayMs } = options;
  const records = streamFrom("kafka", {
    "kafka.bootstrap.servers": brokers.join(","),
    assign: JSON.stringify({ [topic]: [partition] }),
    // -2 is the earliest.
    startingOffsets: JSON.stringify({ [topic]: { [partition]: startingOffsets.get(partition) ?? -2 } }),
    failOnDataLoss: "true",
    maxOffsetsPerTrigger: String(maxOffsetsPerTrigger),
  });
  const texts = project(records, [
    "timestamp AS arrived",
    "CAST(key AS STRING) AS identity",
    // Nulls where it is not JSON; a value that is not a number is null.
    `from_json(
      CAST(value AS STRING),
      'device_id STRING, sensor STRING, value DOUBLE',
      map('allowNumericLeadingZeros', 'true', 'allowNonNumericNumbers', 'false')
    ) AS message`,
    "hex(substring(value, 1, 4)) AS head",
  ]);
  const messages = project(texts, [
    "arrived",
    "split_part(identity, '|', 1) AS device_id",
    "split_part(identity, '|', 2) AS sensor",
    `IF(identity RLIKE '${identityPattern}',
      unix_millis(try_cast(split_part(identity, '|', 3) AS TIMESTAMP)),
      NULL
    ) AS at`,
    // Kafka Connect reads UTF-16 and UTF-32 too. Such a record spoils its partial, which the sink then refuses
    // for its NaN: the window is answered from raw readings, whatever became of the record.
    `CASE
      WHEN message.device_id = split_part(identity, '|', 1)
        AND message.sensor = split_part(identity, '|', 2)
        AND abs(message.value) <= 1.7976931348623157E308D
      THEN message.value
      WHEN head RLIKE '00|^EFBBBF|^FEFF|^FFFE' THEN double('NaN')
    END AS value`,
  ]);
  return withWatermark(messages, "arrived", watermarkDelayMs);
}

function partialsOf(messages: Relation, { windowMs, segmentMs, sinceMs }: WindowPlanMeaning & WindowPlanRun) {
  // With the watermark's column in it, the condition stays above the watermark, which so sees the ticks too.
  const valid = filter(
    messages,
    `IF(arrived IS NULL, false,
      arrived >= timestamp_millis(${sinceMs}) AND at IS NOT NULL AND value IS NOT NULL
    )`,
  );
  const groups = groupBy(valid, {
    grouping: [
      "device_id",
      "sensor",
      `at - pmod(at, ${windowMs}L) AS window_start`,
      `window(arrived, '${segmentMs} milliseconds') AS segment`,
    ],
    aggregates: [
      "count(*) AS count",
      "sum(value) AS sum",
      // Of equal extremes the earliest.
      "min(named_struct('value', value, 'at', at)) AS minimum",
      "max(named_struct('value', value, 'before', -at)) AS maximum",
      "min(named_struct('at', at, 'value', value)) AS first",
      "max(named_struct('at', at, 'value', value)) AS last",
      // The sum of squared distances from the mean, carried by Chan's formula.
      "regr_sxx(value, value) AS m2",
    ],
  });
  return project(groups, [
    `concat_ws('|', device_id, sensor,
      date_format(timestamp_millis(window_start), "${isoFormat}"),
      date_format(segment.start, "${isoFormat}")
    ) AS key`,
    `to_json(named_struct(
      'device_id', device_id,
      'sensor', sensor,
      'window_start', window_start,
      'segment_start', unix_millis(segment.start),
      'count', count,
      'sum', sum,
      'minimum', minimum.value,
      'minimum_at', minimum.at,
      'maximum', maximum.value,
      'maximum_at', -maximum.before,
      'first_at', first.at,
      'first_value', first.value,
      'last_at', last.at,
      'last_value', last.value,
      'm2', m2
    )) AS value`,
  ]);
}

/**
 * Identifies the checkpoint: a hash of the plan without what may differ from start to start, and of the
 * settings that are part of a checkpoint.
 */
export function checkpointIdentity(meaning: WindowPlanMeaning): string {
  const plan = windowPlan({
    ...meaning,
    brokers: [],
    checkpointLocation: "",
    queryName: "",
    sinceMs: 0,
    startingOffsets: new Map(),
    watermarkDelayMs: 0,
    maxOffsetsPerTrigger: 1,
    triggerMs: 1,
  });
  return createHash("sha256")
    .update(queryBytes(plan))
    .update(JSON.stringify(windowSessionSettings))
    .digest("hex")
    .slice(0, 16);
}
