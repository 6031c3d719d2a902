import { parse, stringify } from "yaml";

/**
 * Brokers and members of the database: of each kind only one may be away at a time. Each is a service of its own, since
 * it belongs to a node, and Swarm would replace them all at once.
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
 * What is to be replaced before the rest of a stack that is already running, in this order: the first broker and the
 * first member of the database, then the second ones, and so on. The last ones come with all other services. Empty if
 * there are not several.
 * @param merged what `docker stack config` prints
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

/** The stack with these services, and what they mount. */
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

/** Docker has filled in the variables, and would look for them again: a dollar that is meant is written twice. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}
