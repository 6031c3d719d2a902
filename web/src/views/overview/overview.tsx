import { publishCommand } from "../../mesh/commands.ts";
import { status } from "../../mesh/connection.ts";
import { useSeriesCounts } from "../../mesh/series/series-counts.ts";
import { hrefOf } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { Copyable } from "../../ui/copyable.tsx";
import { useNow } from "../../ui/use-now.ts";
import { Alarms } from "./alarms.tsx";
import { DeviceList } from "./device-list.tsx";
import { aheadAfterMs, silentAfterMs } from "./device-state.ts";
import { SampleYear } from "./sample-year.tsx";
import { SensorCharts } from "./sensor-charts.tsx";
import { Tiles } from "./tiles.tsx";

/** What the mesh does now, what needs attention, and every device. */
export function Overview() {
  const nowMs = useNow();
  const counts = useSeriesCounts({ silentAfterMs, aheadAfterMs });
  const found = status.value;
  // Charts and list do not wait for the status: they request their data at the same time.
  if (found && found.storedReadings === 0n && found.series === 0n) return <Empty />;
  return (
    <>
      <h1 class="visually-hidden">{strings.views.overview}</h1>
      <Tiles status={found} counts={counts} nowMs={nowMs} />
      {found && <Alarms status={found} counts={counts} />}
      <SensorCharts />
      <DeviceList nowMs={nowMs} />
      <SampleYear />
    </>
  );
}

function Empty() {
  const { overview } = strings;
  return (
    <section class="card empty">
      <h1>{overview.emptyTitle}</h1>
      <p>{overview.emptyText}</p>
      <p>
        <a class="button primary" href={hrefOf("simulator")}>
          {overview.emptySimulator}
        </a>
      </p>
      <SampleYear />
      <Copyable text={publishCommand()} label={overview.emptyText} />
    </section>
  );
}
