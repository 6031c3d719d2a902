import { query } from "../clients.ts";
import { pause } from "../pause.ts";
import { usePolled } from "../use-polled.ts";
import { searchOf } from "./series-search.ts";

const namesMax = 20;
/** Typing is faster than this, and only its last text is a question. */
const typingMs = 150;
/** A device has some series; so many give enough devices. */
const pageSize = 100;

/** The first devices whose id contains the text. */
export function useDeviceNames(text: string): readonly string[] {
  const { answer } = usePolled(`names ${text}`, undefined, async (signal) => {
    await pause(typingMs, signal);
    const { series } = await query.listSeries({ search: searchOf(text), pageSize }, { signal });
    return [...new Set(series.map(({ deviceId }) => deviceId))].slice(0, namesMax);
  });
  return answer ?? [];
}
