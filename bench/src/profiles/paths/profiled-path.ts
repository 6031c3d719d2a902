import type { ProfiledTree } from "../before-tree.ts";
import type { ProfiledWork } from "../profilers/profiled-server.ts";

/** The options of a path's run. */
export type PathRunSettings = {
  /** The trees to profile: the current one, and an earlier one before it if there is one. */
  readonly trees: readonly ProfiledTree[];
  /** How long a server is profiled, in ms. */
  readonly ms: number;
  /** How long it is loaded before that. */
  readonly warmUpMs: number;
  /** Absolute: profiles and the data of engines. */
  readonly folder: string;
  /** Absolute: the cache of the bench. */
  readonly cache: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** A path through the system that is profiled: the work of each tree, in the order of the trees. */
export type ProfilePath = (settings: PathRunSettings) => Promise<readonly ProfiledWork[]>;
