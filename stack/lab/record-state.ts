import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "./machine/engine.ts";
import { type Lab, stackName } from "./start.ts";

/** The services whose logs explain why readings or windows make no progress. */
const logged = ["aggregator", "spark-connect", "operator", "connect", "ingest", "gateway", "mqtt", "query"];
const lines = "60";

/** Writes the state of the Swarm's tasks and the ends of logs into NAME.log of the lab's folder; returns its path. */
export async function recordState({ nodes, folder }: Lab, name: string): Promise<string> {
  const manager = nodes[0] as Engine;
  const file = join(folder, `${name}.log`);
  const printed = async (args: readonly string[]): Promise<string> => {
    const answer = await manager.docker(args, { timeoutMs: 30_000 }).catch((error: Error) => error.message);
    return `$ docker ${args.join(" ")}\n${answer}\n`;
  };
  const parts = [
    await printed(["node", "ls"]),
    await printed(["stack", "ps", "--no-trunc", stackName]),
    ...(await Promise.all(
      logged.map((name) => printed(["service", "logs", "--raw", "--tail", lines, `${stackName}_${name}`])),
    )),
  ];
  writeFileSync(file, parts.join("\n"));
  return file;
}
