import { type ListenerName, listenerNames, type Ports } from "../engine-names.ts";
import { freePorts, isPortFree } from "./free-ports.ts";

/**
 * Returns a port for each listener: the given one, or that of the last start if it is free, or a free one.
 * @throws Error naming a given port that is in use.
 */
export async function choosePorts(options: {
  readonly given: Partial<Ports>;
  readonly remembered: Partial<Ports>;
}): Promise<Ports> {
  const { given, remembered } = options;
  const fresh = await freePorts(listenerNames.length);
  const chosen: [ListenerName, number][] = [];
  const taken = new Set<number>(Object.values(given));
  for (const [i, name] of listenerNames.entries()) {
    const wanted = given[name];
    const before = remembered[name];
    if (wanted !== undefined && wanted !== 0) {
      if (!(await isPortFree(wanted))) {
        throw new Error(
          `port ${wanted} of ${name} is already in use: end what listens there, or give another`,
        );
      }
      chosen.push([name, wanted]);
    } else if (before !== undefined && !taken.has(before) && (await isPortFree(before))) {
      chosen.push([name, before]);
    } else {
      chosen.push([name, fresh.find((port) => !taken.has(port)) ?? fresh[i]!]);
    }
    taken.add(chosen.at(-1)![1]);
  }
  return Object.fromEntries(chosen) as Ports;
}
