import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { changedSettings, differenceOf, type Part } from "../definition/difference.ts";
import type { ConnectRest } from "./connect-rest.ts";
import type { ConnectorDefinition } from "./connector-definitions.ts";

/** Compares the connectors with their desired state. Reads only. */
export async function inspectConnectors(
  rest: ConnectRest,
  definitions: readonly ConnectorDefinition[],
  signal?: AbortSignal,
): Promise<Part[]> {
  return await Promise.all(
    definitions.map(async ({ name, config }): Promise<Part> => {
      const found = await rest.readConfig(name, signal);
      const changes = found === undefined ? [] : connectorChanges(found, config);
      return {
        what: `connector ${name}`,
        difference: found === undefined ? { kind: "create" } : differenceOf(changes),
        apply: () => rest.writeConfig(name, config),
      };
    }),
  );
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
      ? { ...change, from: withoutCredentials(change.from), to: withoutCredentials(change.to) }
      : change,
  );
}
