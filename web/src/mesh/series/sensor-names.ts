import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { query } from "../clients.ts";
import { usePolled } from "../use-polled.ts";

const pollMs = 5000;
const sensorsMax = 200;

/** The sensors that have readings, by name; kept between views. */
const names = signal<readonly string[]>([]);

/** The sensors that have readings, renewed every few seconds. */
export function useSensorNames(): readonly string[] {
  const { answer } = usePolled("sensor names", pollMs, async (aborted) => {
    const { rows } = await query.getAggregates(
      { groupBy: GroupBy.SENSOR, pageSize: sensorsMax },
      { signal: aborted },
    );
    return rows.map(({ sensor }) => sensor);
  });
  useEffect(() => {
    if (answer) names.value = answer;
  }, [answer]);
  return answer ?? names.value;
}
