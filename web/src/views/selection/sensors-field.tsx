import { useSensorNames } from "../../mesh/series/sensor-names.ts";
import { select } from "../../state/route.ts";
import { strings } from "../../strings.ts";

/** The sensors that exist, of which none, one or several are chosen; none means all. */
export function SensorsField({ sensors }: { readonly sensors: readonly string[] }) {
  const known = new Set([...useSensorNames(), ...sensors]);
  const { selection } = strings;
  const toggle = (sensor: string): void => {
    const isChosen = sensors.includes(sensor);
    select({ sensors: isChosen ? sensors.filter((name) => name !== sensor) : [...sensors, sensor] });
  };
  return (
    <fieldset class="field sensors-field">
      <legend>{selection.sensors}</legend>
      <div class="choice">
        <button type="button" aria-pressed={sensors.length === 0} onClick={() => select({ sensors: [] })}>
          {selection.allSensors}
        </button>
        {[...known].sort().map((sensor) => (
          <button
            key={sensor}
            type="button"
            aria-pressed={sensors.includes(sensor)}
            onClick={() => toggle(sensor)}
          >
            {sensor.replaceAll("_", " ")}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
