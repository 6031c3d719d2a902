import type { Board } from "./board.ts";
import { envoy } from "./envoy.ts";
import { renderBoard } from "./grafana-board.ts";
import { ingestAndGenerator } from "./ingest-and-generator.ts";
import { meshAtAGlance } from "./mesh-at-a-glance.ts";
import { rpcs } from "./rpcs.ts";
import { windows } from "./windows.ts";

/** All boards, by importance. */
export const boards: readonly Board[] = [meshAtAGlance, rpcs, ingestAndGenerator, windows, envoy];

/** Returns the contents of stack/grafana/boards: the text of each file by its name. */
export function boardFiles(): ReadonlyMap<string, string> {
  return new Map(boards.map((board) => [`${board.name}.json`, renderBoard(board)]));
}
