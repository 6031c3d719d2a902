import { setTimeout as delay } from "node:timers/promises";
import { type ConnectRest, isRebalancing } from "./connect-rest.ts";
import type { ConnectorDefinition } from "./connector-definitions.ts";
import { changedSettings, differenceOf, type Part } from "./difference.ts";

const rebalanceWaitMs = 30_000;
const rebalancePollMs = 250;

/** Finds out how the connectors differ from what they should be. Reads only. */
export async function inspectConnectors(
  rest: ConnectRest,
  definitions: readonly ConnectorDefinition[],
): Promise<Part[]> {
  return await Promise.all(
    definitions.map(async ({ name, config }): Promise<Part> => {
      const found = await rest.readConfig(name);
      const changes = found === undefined ? [] : connectorChanges(found, config);
      return {
        what: `connector ${name}`,
        difference: found === undefined ? { kind: "create" } : differenceOf(changes),
        apply: () => throughRebalance(() => rest.writeConfig(name, config)),
      };
    }),
  );
}

/** Repeats a request while the workers rebalance, for half a minute at most. */
export async function throughRebalance<Result>(request: () => Promise<Result>): Promise<Result> {
  const deadlineMs = performance.now() + rebalanceWaitMs;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!isRebalancing(error) || performance.now() > deadlineMs) throw error;
      await delay(rebalancePollMs);
    }
  }
}

function connectorChanges(
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): ReturnType<typeof changedSettings> {
  const surplus = Object.keys(found).filter((setting) => !(setting in wanted));
  return [
    ...changedSettings(found, wanted),
    ...surplus.map((setting) => ({ setting, from: found[setting]!, to: "(not set)" })),
  ].map((change) =>
    change.setting === "connection.uri"
      ? { ...change, from: withoutPassword(change.from), to: withoutPassword(change.to) }
      : change,
  );
}

/** A connection string that may be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/:\/\/([^@/:]*):[^@/]*@/, "://$1:…@");
}
