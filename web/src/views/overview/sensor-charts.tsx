import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { Chart } from "../../chart/chart.tsx";
import { panelsOf } from "../../chart/panels.ts";
import { formatValue } from "../../format/numbers.ts";
import { readLines } from "../../mesh/buckets.ts";
import { serverNowMs } from "../../mesh/clients.ts";
import { usePolled } from "../../mesh/use-polled.ts";
import { selectionHref } from "../../state/route.ts";
import { boundsAt, presets } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { pageScale } from "../../ui/page-scale.ts";
import { Problem } from "../../ui/problem.tsx";

const pollMs = 1000;
const bucketSeconds = 10;
const chartHeight = 118;
/** More sensors are in the list of devices. */
const chartsMax = 12;

/** A small chart of each sensor over all devices; it leads to the whole of it. */
export function SensorCharts() {
  const { answer, problem } = usePolled("sensors", pollMs, async (signal) => {
    const { sinceMs = 0, ...last } = boundsAt({ kind: "last", spanMs: presets["15m"] }, serverNowMs());
    // A first bucket that is cut would have fewer devices, and so another average.
    const bucketMs = bucketSeconds * 1000;
    const bounds = { ...last, sinceMs: Math.ceil(sinceMs / bucketMs) * bucketMs };
    const request = {
      deviceIds: [],
      sensors: [],
      bounds,
      groupBy: GroupBy.SENSOR,
      resolution: { bucketSeconds },
    };
    return { ...(await readLines(request, signal)), bounds };
  });
  const { overview } = strings;
  if (!answer || answer.lines.length === 0) return <Problem problem={problem} />;
  const { bounds, bucketMs } = answer;
  const span = { sinceMs: bounds.sinceMs ?? 0, toMs: bounds.toMs ?? 0 };
  return (
    <section aria-labelledby="sensors">
      <h2 id="sensors">{overview.sensors}</h2>
      <p class="quiet">{overview.sensorsHint}</p>
      <div class="sensors">
        {answer.lines.slice(0, chartsMax).map((line, place) => {
          const panel = panelsOf([line], bucketMs)[0];
          const last = line.points.at(-1);
          if (!panel || !last) return null;
          const coloured = { ...panel, lines: panel.lines.map((each) => ({ ...each, colour: place })) };
          return (
            <a
              key={line.key}
              class="card sensor"
              href={selectionHref("explore", {
                sensors: [line.sensor],
                timeframe: { kind: "last", spanMs: presets["15m"] },
              })}
            >
              <span class="sensor-head">
                <span class="sensor-name">{line.sensor.replaceAll("_", " ")}</span>
                <span class="sensor-value">
                  {formatValue(last.average)} <span class="unit">{line.unit}</span>
                </span>
              </span>
              <span class="inert" aria-hidden="true">
                <Chart
                  panel={coloured}
                  zone="local"
                  span={span}
                  height={Math.round(Math.max(chartHeight * pageScale(), innerHeight * 0.11))}
                  isSmall
                />
              </span>
            </a>
          );
        })}
      </div>
    </section>
  );
}
