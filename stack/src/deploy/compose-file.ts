import { parse, stringify } from "yaml";

/** What `docker stack config` prints for a service. */
type Service = {
  readonly image: string;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly { readonly published: string | number; readonly target: number }[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets?: readonly { readonly source: string; readonly target: string; readonly uid?: string }[];
  readonly volumes?: readonly object[];
  readonly deploy?: {
    readonly mode?: string;
    readonly replicas?: number;
    readonly resources?: { readonly limits?: { readonly memory?: string; readonly cpus?: string | number } };
  };
};

type Mounted = Readonly<Record<string, { readonly file: string }>>;

type Merged = {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Mounted;
  readonly secrets: Mounted;
};

/** Keys that mean the same to Docker Compose. */
const kept = [
  ...[
    "image",
    "user",
    "command",
    "entrypoint",
    "environment",
    "hostname",
    "init",
    "read_only",
    "cap_drop",
    "ulimits",
  ],
  ...["stop_grace_period", "healthcheck", "logging"],
] as const;

/** Variables that stay variables, with their defaults; the stack is merged with a mark for each. */
const variables = {
  DEVICEMESH_REGISTRY: "local.invalid/",
  DEVICEMESH_VERSION: "0.1.0",
  DEVICEMESH_PUBLIC_HOST: "localhost",
  DEVICEMESH_PARTITIONS: "4",
  DEVICEMESH_GENERATOR_DEVICES: "12",
} as const;

const markOf = (variable: string): string => `MARK-${variable}-`.toLowerCase().replaceAll("_", "-");

/** The environment with which `docker stack config` is to merge the files for `composeFile`. */
export const composeMarks: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(variables).map((name) => [name, markOf(name)]),
);

const secretsFolder = "/run/secrets";
const header = `# The mesh on one machine with Docker Compose, without a Swarm. Rendered by \`npm run stack:config\` from docker-stack.yml
# and docker-stack.single.yml: change those. stack/README.md describes how to run it.
`;

/**
 * The file for Docker Compose, of the stack on one machine. Compose mounts files with the rights that they have, so a
 * first service copies each secret for the user that reads it; configurations are bind mounts.
 * @param merged what \`docker stack config\` prints with \`composeMarks\`
 * @param project the folder that the paths of mounted files begin with
 */
export function composeFile(merged: string, project: string): string {
  const stack = parse(merged) as Merged;
  const running = Object.entries(stack.services).filter(([, { deploy }]) => deploy?.replicas !== 0);
  const relative = (file: string): string => `.${file.slice(project.length)}`;
  const services = {
    secrets: secretsService(stack, running, relative),
    ...Object.fromEntries(
      running.map(([name, service]) => [name, composeService(stack, name, service, relative)]),
    ),
  };
  const volumes = [
    ...Object.keys(stack.volumes),
    ...running.filter(hasSecrets).map(([name]) => `secrets-${name}`),
  ];
  const used = volumes.filter((volume) => JSON.stringify(services).includes(`"source":"${volume}"`));
  const text = stringify(
    escaped({
      services,
      networks: Object.fromEntries(
        Object.entries(stack.networks).map(([name, { internal = false }]) => [
          name,
          internal ? { internal } : {},
        ]),
      ),
      volumes: Object.fromEntries(used.map((name) => [name, {}])),
    }),
    { aliasDuplicateObjects: false, lineWidth: 0 },
  );
  return header + withVariables(text);
}

const hasSecrets = ([, { secrets = [] }]: readonly [string, Service]): boolean => secrets.length > 0;

function composeService(
  { configs }: Merged,
  name: string,
  service: Service,
  relative: (file: string) => string,
): object {
  const { deploy = {}, ports = [], volumes = [], networks = {} } = service;
  const { memory, cpus } = deploy.resources?.limits ?? {};
  const mounts = [
    ...volumes,
    ...(service.configs ?? []).map(({ source, target }) => ({
      ...{ type: "bind", source: relative(configs[source]?.file ?? ""), target, read_only: true },
    })),
    ...(hasSecrets([name, service])
      ? [{ type: "volume", source: `secrets-${name}`, target: secretsFolder, read_only: true }]
      : []),
  ];
  return {
    ...Object.fromEntries(
      kept.flatMap((key) => (key in service ? [[key, service[key as keyof Service]]] : [])),
    ),
    ...(memory === undefined ? {} : { mem_limit: memory }),
    ...(cpus === undefined ? {} : { cpus: Number(cpus) }),
    restart: deploy.mode === "replicated-job" ? "on-failure" : "unless-stopped",
    // Envoy and Prometheus find the tasks of a service by this name.
    networks: Object.fromEntries(
      Object.keys(networks).map((network) => [network, { aliases: [`tasks.${name}`] }]),
    ),
    ...(ports.length > 0 && {
      ports: ports.map(({ published, target }) => `${markOf("DEVICEMESH_BIND")}:${published}:${target}`),
    }),
    ...(mounts.length > 0 && { volumes: mounts }),
    ...(hasSecrets([name, service]) && {
      depends_on: { secrets: { condition: "service_completed_successfully" } },
    }),
  };
}

/** Copies what each service may read into a volume of its own, for its user, and ends. */
function secretsService(
  { secrets, services }: Merged,
  running: readonly (readonly [string, Service])[],
  relative: (file: string) => string,
): object {
  const receivers = running.filter(hasSecrets);
  const copies = receivers.flatMap(([name, { secrets: own = [] }]) =>
    own.map(({ source, target, uid = "0" }) => {
      const file = relative(secrets[source]?.file ?? "").replace(/^\.\/stack\/secrets\//, "");
      return `install -o ${uid} -g ${uid} -m 0400 /from/${file} /to/${name}/${target}`;
    }),
  );
  return {
    image: services.ingest?.image,
    user: "0:0",
    command: ["sh", "-ec", copies.join("\n")],
    read_only: true,
    network_mode: "none",
    cap_drop: ["ALL"],
    cap_add: ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
    volumes: [
      { type: "bind", source: "./stack/secrets", target: "/from", read_only: true },
      ...receivers.map(([name]) => ({ type: "volume", source: `secrets-${name}`, target: `/to/${name}` })),
    ],
  };
}

/** Docker has filled in the variables: a dollar that is meant is written twice. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}

function withVariables(text: string): string {
  return Object.entries({ ...variables, DEVICEMESH_BIND: "127.0.0.1" }).reduce(
    (done, [name, value]) => done.replaceAll(markOf(name), `\${${name}:-${value}}`),
    text,
  );
}
