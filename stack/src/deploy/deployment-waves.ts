import { parse, stringify } from "yaml";

/**
 * Brokers and members of the database: only one of each kind may be unavailable at a time. Each is a separate service,
 * because it belongs to a node, and Swarm would replace them all at once.
 */
const member = /^(?:kafka|mongo)-(\d+)$/;

type Merged = {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
} & Readonly<Record<string, unknown>>;

type Service = {
  readonly configs?: readonly { readonly source: string }[];
  readonly secrets?: readonly { readonly source: string }[];
  readonly deploy?: { readonly replicas?: number };
};

/** A part of the stack that is deployed, and waited for, before the next. */
export type DeploymentWave = {
  readonly services: readonly string[];
  /** A file for `docker stack deploy`. */
  readonly text: string;
};

/**
 * Returns the parts to replace before the rest of a running stack, in order: the first broker and the first member of
 * the database, then the second ones, and so on. The last ones are replaced with all other services. Empty if there are
 * not several.
 * @param merged output of `docker stack config`
 */
export function deploymentWaves(merged: string): readonly DeploymentWave[] {
  const stack = parse(merged) as Merged;
  const waves = new Map<number, string[]>();
  for (const [name, { deploy }] of Object.entries(stack.services)) {
    const number = member.exec(name)?.[1];
    if (number === undefined || deploy?.replicas === 0) continue;
    waves.set(Number(number), [...(waves.get(Number(number)) ?? []), name]);
  }
  return [...waves]
    .sort(([one], [other]) => one - other)
    .slice(0, -1)
    .map(([, services]) => ({ services, text: partOf(stack, services) }));
}

/** Returns the stack with only these services, and the files that they mount. */
function partOf(stack: Merged, names: readonly string[]): string {
  const services = pick(stack.services, names);
  const mounted = (kind: "configs" | "secrets") =>
    Object.values(services).flatMap((service) => (service[kind] ?? []).map(({ source }) => source));
  return stringify(
    escaped({
      ...stack,
      services,
      configs: pick(stack.configs ?? {}, mounted("configs")),
      secrets: pick(stack.secrets ?? {}, mounted("secrets")),
    }),
    { aliasDuplicateObjects: false },
  );
}

function pick<T>(from: Readonly<Record<string, T>>, keys: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}

/** Docker has already replaced the variables, and would do so again: a literal dollar is doubled. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}
