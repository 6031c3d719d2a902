import { formatDuration } from "../../format/times.ts";
import { select } from "../../state/route.ts";
import { strings } from "../../strings.ts";

/** The sizes that can be chosen by hand, in seconds: multiples of a window of 10 s. */
const sizes = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800];

/** The size of the buckets: chosen by hand, or (`automatic`) by the width of the chart, which gave `automaticMs`. */
export function BucketField({
  seconds,
  automaticMs,
  hasAutomatic = true,
}: {
  readonly seconds: number | undefined;
  readonly automaticMs?: number | undefined;
  readonly hasAutomatic?: boolean;
}) {
  const { selection } = strings;
  const shown = seconds !== undefined && !sizes.includes(seconds) ? [seconds, ...sizes] : sizes;
  const automatic = automaticMs === undefined ? "" : formatDuration(automaticMs);
  return (
    <label class="field">
      <span>{selection.bucket}</span>
      <select
        value={seconds ?? ""}
        onChange={(event) => {
          const { value } = event.currentTarget;
          select({ bucketSeconds: value === "" ? undefined : Number(value) });
        }}
      >
        {hasAutomatic && (
          <option value="">{selection.automatic(seconds === undefined ? automatic : "")}</option>
        )}
        {shown.map((size) => (
          <option key={size} value={size}>
            {formatDuration(size * 1000)}
          </option>
        ))}
      </select>
    </label>
  );
}
