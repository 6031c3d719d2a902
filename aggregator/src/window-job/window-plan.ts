import { createHash } from "node:crypto";
import { tickLeadMs } from "../log/tick-times.ts";
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
import { extremesSql } from "./extremes.ts";

/** The definition of the window job. Any change of it needs a new checkpoint. */
export type WindowPlanMeaning = {
  /** The topic of messages; its append times must be the broker's. */
  readonly topic: string;
  /** The topic of partials. */
  readonly outputTopic: string;
  /** Number of partitions of `topic`. */
  readonly partitions: number;
  readonly windowMs: number;
  readonly segmentMs: number;
};

/** Settings that may change from start to start. */
export type WindowPlanRun = {
  /** host:port of Kafka's brokers, as Spark's driver and executors reach them. */
  readonly brokers: readonly string[];
  /** How Spark's Kafka clients connect, without the prefix `kafka.`; cleartext by default. */
  readonly kafkaOptions?: Readonly<Record<string, string>> | undefined;
  /** A folder or URI that Spark's driver and executors can write to. */
  readonly checkpointLocation: string;
  readonly queryName: string;
  /**
   * Messages that arrived earlier are left out, ms since 1970: a multiple of `segmentMs`, fixed with the checkpoint.
   */
  readonly sinceMs: number;
  /** The offsets at which the first start from a checkpoint reads, by partition; the earliest by default. */
  readonly startingOffsets: ReadonlyMap<number, number>;
  /** Largest backward step of append times within a partition, in ms. */
  readonly watermarkDelayMs: number;
  /** Maximum number of messages of a partition in one batch. */
  readonly maxOffsetsPerTrigger: number;
  /** Interval between the starts of batches, in ms. */
  readonly triggerMs: number;
};

/**
 * The settings of a session that the plan relies on. The batch's watermark is the minimum over the partitions, and a
 * segment is written even if no message follows it.
 */
export const windowSessionSettings: Readonly<Record<string, string>> = {
  "spark.sql.session.timeZone": "UTC",
  "spark.sql.ansi.enabled": "false",
  "spark.sql.shuffle.partitions": "2",
  "spark.sql.streaming.multipleWatermarkPolicy": "min",
  "spark.sql.streaming.noDataMicroBatches.enabled": "true",
};

/**
 * After each poll of a partition, Spark requests its beginning and its end and waits: polls are few and large. The
 * broker answers these requests only after the fetch that the consumer has sent ahead on the same connection, and at
 * the end of the log it holds that fetch until data comes: by default for half a second, which was most of the time of
 * a small batch.
 */
const fetching = {
  "kafka.max.poll.records": "20000",
  "kafka.max.partition.fetch.bytes": "4194304",
  "kafka.fetch.max.wait.ms": "10",
};

/** The largest number. */
const largest = "1.7976931348623157E308D";

const isoFormat = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";
const identityPattern = "^[^|]+[|][^|]+[|][0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$";

/**
 * The one plan: from messages to partials of (series, window of `timestamp`, segment of `arrived`), each written once,
 * when its segment has closed on every partition.
 *
 * It counts every message that the raw store may accept, and some that it rejects; those become dead letters and mark
 * their windows. The opposite choice would leave a reading out of its window. Therefore the identity is the record's
 * key, which the raw store checks against the fields, and the time is read from the key alone.
 */
export function windowPlan(options: WindowPlanMeaning & WindowPlanRun): StreamingQuery {
  const { partitions, outputTopic, checkpointLocation, queryName, triggerMs } = options;
  const sources = Array.from({ length: partitions }, (_, partition) => messagesOf(partition, options));
  return appendTo(partialsOf(unionAll(sources), options), {
    format: "kafka",
    options: {
      ...kafkaClientOf(options),
      "kafka.acks": "all",
      topic: outputTopic,
      checkpointLocation,
    },
    queryName,
    triggerMs,
  });
}

function kafkaClientOf({ brokers, kafkaOptions = {} }: WindowPlanRun): Record<string, string> {
  const options = Object.entries({ "bootstrap.servers": brokers.join(","), ...kafkaOptions });
  return Object.fromEntries(options.map(([name, value]) => [`kafka.${name}`, value]));
}

/**
 * One source and one watermark for each partition: Spark uses the minimum of the watermarks, so no message is late for
 * its segment however unevenly the partitions are read. The columns are computed before the watermark, once a row.
 * `value` is null in a record that the raw store certainly rejects.
 */
function messagesOf(partition: number, options: WindowPlanMeaning & WindowPlanRun): Relation {
  const { topic, sinceMs, startingOffsets, maxOffsetsPerTrigger, watermarkDelayMs } = options;
  const records = streamFrom("kafka", {
    ...kafkaClientOf(options),
    assign: JSON.stringify({ [topic]: [partition] }),
    // -2 means the earliest.
    startingOffsets: JSON.stringify({ [topic]: { [partition]: startingOffsets.get(partition) ?? -2 } }),
    failOnDataLoss: "true",
    maxOffsetsPerTrigger: String(maxOffsetsPerTrigger),
    ...fetching,
  });
  const texts = project(records, [
    // Messages that arrived before the checkpoint's start are one segment, which is never written and later counted as
    // dropped. IF keeps the column nullable, which the condition above the watermark relies on; greatest() would not.
    // A tick counts as later than it is: the batch after the one that reads it closes a segment that ends within the
    // lead, with what that batch reads itself, and only the batch after both drops what comes too late.
    `IF(timestamp < ${beforeStart(sinceMs)},
      ${beforeStart(sinceMs)},
      IF(value IS NULL, timestamp + INTERVAL '${(tickLeadMs / 1000).toFixed(3)}' SECOND, timestamp)
    ) AS arrived`,
    "CAST(key AS STRING) AS identity",
    "CAST(value AS STRING) AS text",
  ]);
  const parts = project(texts, [
    "arrived",
    "identity",
    "text",
    "substring_index(identity, '|', 1) AS device_id",
    "substring_index(substring_index(identity, '|', 2), '|', -1) AS sensor",
    "substring_index(identity, '|', -1) AS time",
    // What follows the last colon: the value and a brace, as ingest writes it.
    "substring_index(text, ':', -1) AS ending",
  ]);
  // The text of ingest: without a parser, which takes as long as all the rest.
  const plain = project(parts, [
    "arrived",
    "device_id",
    "sensor",
    `IF(identity RLIKE '${identityPattern}', unix_millis(try_cast(time AS TIMESTAMP)), NULL) AS at`,
    `IF(text = concat('{"device_id":"', device_id, '","timestamp":"', time, '","sensor":"', sensor, '","value":', ending),
      try_cast(trim(TRAILING '}' FROM ending) AS DOUBLE),
      NULL
    ) AS plain_value`,
    "text",
  ]);
  const parsed = project(plain, [
    "arrived",
    "device_id",
    "sensor",
    "at",
    "plain_value",
    // Fields are null if the record is not JSON; a value that is not a number is null.
    `IF(plain_value IS NULL AND at IS NOT NULL,
      from_json(
        text,
        'device_id STRING, sensor STRING, value DOUBLE',
        map('allowNumericLeadingZeros', 'true', 'allowNonNumericNumbers', 'false')
      ),
      NULL
    ) AS message`,
    "IF(plain_value IS NULL AND at IS NOT NULL, hex(substring(CAST(text AS BINARY), 1, 4)), NULL) AS head",
  ]);
  const messages = project(parsed, [
    "arrived",
    "device_id",
    "sensor",
    "at",
    // Kafka Connect reads UTF-16 and UTF-32 too. Such a record makes its partial NaN, which the sink rejects: the
    // window is then answered from raw readings, whether or not the record was stored.
    `CASE
      WHEN abs(plain_value) <= ${largest} THEN plain_value
      WHEN message.device_id = device_id AND message.sensor = sensor AND abs(message.value) <= ${largest}
      THEN message.value
      WHEN head RLIKE '00|^EFBBBF|^FEFF|^FFFE' THEN double('NaN')
    END AS value`,
  ]);
  return withWatermark(messages, "arrived", watermarkDelayMs);
}

/** The time that stands for all append times before the start of the checkpoint. */
function beforeStart(sinceMs: number): string {
  return `timestamp_millis(${sinceMs - 1}L)`;
}

function partialsOf(messages: Relation, { windowMs, segmentMs, sinceMs }: WindowPlanMeaning & WindowPlanRun) {
  // Because each part of it uses the watermark's column, the condition stays above the watermark, which therefore sees
  // the ticks too. The comparison is always true, but Spark does not know it.
  const valid = filter(
    messages,
    `IF(arrived IS NULL, false, arrived >= ${beforeStart(sinceMs)} AND at IS NOT NULL AND value IS NOT NULL)`,
  );
  const extremes = extremesSql(windowMs);
  const keyed = project(valid, ["device_id", "sensor", "at", "value", "arrived", ...extremes.columns]);
  const groups = groupBy(keyed, {
    grouping: [
      "device_id",
      "sensor",
      `at - pmod(at, ${windowMs}L) AS window_start`,
      `window(arrived, '${segmentMs} milliseconds') AS segment`,
    ],
    aggregates: [
      "count(*) AS count",
      "sum(value) AS sum",
      ...extremes.aggregates,
      // The sum of squared distances from the mean, merged with Chan's formula.
      "regr_sxx(value, value) AS m2",
    ],
  });
  // With an aggregate in it, the condition stays above the aggregation, which so counts what it drops.
  const counted = filter(groups, `IF(count > 0, segment.start >= timestamp_millis(${sinceMs}L), false)`);
  return project(counted, [
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
      'minimum', ${extremes.minimum},
      'minimum_at', low_at,
      'maximum', ${extremes.maximum},
      'maximum_at', high_at,
      'first_at', first_at,
      'first_value', first_value,
      'last_at', last_at,
      'last_value', last_value,
      'm2', m2
    )) AS value`,
  ]);
}

/**
 * Identifies the checkpoint: a hash of the plan without the settings that may change from start to start, and of the
 * session settings that are part of a checkpoint.
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
