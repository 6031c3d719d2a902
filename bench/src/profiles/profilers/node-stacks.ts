import type { Profiler } from "node:inspector";
import { fileURLToPath } from "node:url";
import type { Stack } from "./stacks.ts";

type CallFrame = Profiler.ProfileNode["callFrame"];

/** The frames of V8 that are no function: the first of each stack, and a thread without work. */
const root = "(root)";
const idle = "(idle)";

/** A CPU profile of V8, and the time from which its samples count. */
export type NodeProfile = {
  readonly profile: Profiler.Profile;
  /** In the clock of the profile. */
  readonly sinceMicros: number;
};

/** Returns the stacks of a profile without idle time, in µs; paths of files begin at `folder` or a package. */
export function nodeStacks({ profile, sinceMicros }: NodeProfile, folder: string): Stack[] {
  const { nodes, startTime, samples = [], timeDeltas = [] } = profile;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const weights = new Map<number, number>();
  let atMicros = startTime;
  samples.forEach((id, index) => {
    atMicros += timeDeltas[index] ?? 0;
    // A sample lasts until the next one.
    const micros = timeDeltas[index + 1] ?? 0;
    if (atMicros >= sinceMicros && micros > 0) weights.set(id, (weights.get(id) ?? 0) + micros);
  });
  const framesOf = (id: number): string[] => {
    const frames: string[] = [];
    for (let next: number | undefined = id; next !== undefined; next = parents.get(next)) {
      const node = byId.get(next);
      if (node && node.callFrame.functionName !== root) frames.push(frameText(node.callFrame, folder));
    }
    return frames.reverse();
  };
  return [...weights]
    .map(([id, weight]) => ({ frames: framesOf(id), weight }))
    .filter(({ frames }) => frames.length > 0 && frames[0] !== idle);
}

/** "function file:line"; "(garbage collector)" and the like as they are; functions of native code without a file. */
function frameText({ functionName, url, lineNumber }: CallFrame, folder: string): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name.startsWith("(") ? name : `${name} (native)`;
  return `${name} ${placeOf(url, folder)}:${lineNumber + 1}`;
}

function placeOf(url: string, folder: string): string {
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  const inPackage = path.lastIndexOf("node_modules/");
  if (inPackage >= 0) return path.slice(inPackage + "node_modules/".length);
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
