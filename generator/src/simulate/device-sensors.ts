import { nearestName } from "@devicemesh/kit/settings/nearest-name";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { isTyped } from "@devicemesh/proto";
import type { DeviceSensors } from "./devices.ts";

/**
 * Returns the sensors of `--sensors` and `--device-sensors`.
 * @throws SettingsError if the file is invalid, or the catalog has no sensor of a given name.
 */
export function readDeviceSensors(values: {
  readonly sensors?: string | undefined;
  /** Names or aliases separated by commas; the sensors with a device type if undefined. */
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
