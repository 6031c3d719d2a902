import { nearestName } from "@devicemesh/kit/settings/nearest-name";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { isTyped } from "@devicemesh/proto";
import type { DeviceSensors } from "./devices.ts";

/**
 * The sensors that `--sensors` and `--device-sensors` ask for.
 * @throws SettingsError if the file cannot be used, or a name is of no sensor of the catalog.
 */
export function readDeviceSensors(values: {
  readonly sensors?: string | undefined;
  /** Names or aliases with commas; the sensors with a device type of their own if undefined. */
  readonly deviceSensors?: string | undefined;
}): DeviceSensors {
  const { sensors, find, codeOf } = openSensorCatalog(values);
  if (values.deviceSensors === undefined) {
    return { sensors, simulated: sensors.filter(isTyped).map((_, code) => code) };
  }
  const simulated = values.deviceSensors.split(",").map((name) => {
    const spec = find(name);
    if (spec) return codeOf(spec.sensor) as number;
    const nearest = nearestName(
      name.trim(),
      sensors.map(({ sensor }) => sensor),
    );
    const hint = nearest === undefined ? "" : `, did you mean ${nearest}?`;
    throw new SettingsError(
      `--device-sensors: the catalog has no sensor ${JSON.stringify(name.trim())}${hint}`,
    );
  });
  return { sensors, simulated };
}
