import type { KnownSensor, SensorLookup } from "../readings/sensor-lookup.ts";

/**
 * The sensor at the end of an object's name, and the part before it: `living_room_temperature` is `living_room` and
 * `temperature`.
 */
export type NamedSensor = { readonly known: KnownSensor; readonly place: string };

/** Finds the longest sensor name at the end of an object's name; undefined if there is none. Pure. */
export function namedSensorOf(objectId: string, lookup: SensorLookup): NamedSensor | undefined {
  const words = objectId.split("_");
  for (let at = 0; at < words.length; at++) {
    const known = lookup.find(words.slice(at).join("_"));
    if (known) return { known, place: words.slice(0, at).join("_") };
  }
  return undefined;
}
