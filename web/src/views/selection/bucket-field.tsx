import { formatDuration } from "../../format/times.ts";
import {
  type BucketSize,
  bucketText,
  type CalendarUnit,
  calendarUnits,
  parseBucket,
} from "../../state/bucket.ts";
import { select } from "../../state/route.ts";
import { strings } from "../../strings.ts";

/** The fixed sizes that can be chosen by hand, in seconds: multiples of a window of 10 s. */
const sizes = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800];
const units = Object.keys(calendarUnits) as CalendarUnit[];

/**
 * The size of the buckets: chosen by hand, a unit of the calendar in the selected time zone, or (without a size) by
 * the width of the chart, which gave `automaticMs`. Live has fixed sizes only.
 */
export function BucketField({
  size,
  automaticMs,
  isLive = false,
}: {
  readonly size: BucketSize;
  readonly automaticMs?: number | undefined;
  readonly isLive?: boolean;
}) {
  const { selection } = strings;
  const fixed = typeof size === "number" && !sizes.includes(size) ? [size, ...sizes] : sizes;
  const automatic = automaticMs === undefined || size !== undefined ? "" : formatDuration(automaticMs);
  return (
    <label class="field">
      <span>{selection.bucket}</span>
      <select
        value={size === undefined ? "" : String(size)}
        onChange={(event) => select({ bucket: parseBucket(event.currentTarget.value) })}
      >
        {!isLive && <option value="">{selection.automatic(automatic)}</option>}
        {fixed.map((seconds) => (
          <option key={seconds} value={String(seconds)}>
            {bucketText(seconds)}
          </option>
        ))}
        {!isLive &&
          units.map((unit) => (
            <option key={unit} value={unit}>
              {bucketText(unit)}
            </option>
          ))}
      </select>
    </label>
  );
}
