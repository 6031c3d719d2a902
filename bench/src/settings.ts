import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";

/** The commit before the work on the speed of the hot paths. */
export const defaultBefore = "529d8543";

/** The settings of `npm run bench`. */
export const benchSettings = defineSettings({
  prefix: "DEVICEMESH_BENCH_",
  usage:
    "npm run bench -- [ingest] [query] [watch] [series] [streams] [import] [export] [page] [peers] [kafka] [windows] [freshness] [late] [tail] [mesh] [profiles] [flags]",
  summary:
    "Measures ingest and answers over stored readings if no bench is named. By name: many watchers, a million series, 10,000 device streams, imports, exports, the dashboard in Chromium, other databases under the same load (peers), ingest over one Kafka broker (kafka), the window job on Spark (windows), how old answers are (freshness), bursts of late readings (late), answers while the frontier does not move (tail), the real mesh of Kafka, Kafka Connect, MongoDB and Spark, and where the CPU time of the hot paths goes (profiles).",
  positionals: {
    max: 16,
    placeholder:
      "ingest|query|watch|series|streams|import|export|page|peers|kafka|windows|freshness|late|tail|mesh|profiles",
  },
  settings: {
    quick: {
      flag: "--quick",
      env: "DEVICEMESH_BENCH_QUICK",
      kind: "boolean",
      default: false,
      description: "Run each bench for a second or two, as a smoke test. The figures are not meaningful.",
    },
    peers: {
      flag: "--peers",
      env: "DEVICEMESH_BENCH_PEERS",
      kind: "string",
      default: "fastapi,node-http",
      choices: ["fastapi,node-http", "fastapi", "node-http"],
      description:
        "Peers that ingest is compared with. The mesh and kafka benches support fastapi only; with node-http they leave it out.",
    },
    rounds: {
      flag: "--rounds",
      env: "DEVICEMESH_BENCH_ROUNDS",
      kind: "integer",
      default: 7,
      minimum: 1,
      maximum: 100,
      description: "Number of measured rounds.",
    },
    round: {
      flag: "--round",
      env: "DEVICEMESH_BENCH_ROUND",
      kind: "duration",
      default: "5s",
      minimum: "200ms",
      maximum: "60s",
      description:
        "Time for which each ingest peer is loaded in a round, and for which callers query beside watchers.",
    },
    minutes: {
      flag: "--minutes",
      env: "DEVICEMESH_BENCH_MINUTES",
      kind: "integer",
      default: 10,
      minimum: 1,
      maximum: 600,
      description: "How long the page bench observes the memory of the page.",
    },
    readings: {
      flag: "--readings",
      env: "DEVICEMESH_BENCH_READINGS",
      kind: "integer",
      default: 10_000_000,
      minimum: 100_000,
      maximum: 1_000_000_000,
      description: "Number of stored readings of the query bench. They are stored once and used again.",
    },
    before: {
      flag: "--before",
      env: "DEVICEMESH_BENCH_BEFORE",
      kind: "string",
      default: defaultBefore,
      placeholder: "commit|none",
      description:
        "An earlier commit of this repository that the profiles bench runs too, in a worktree in the cache; none leaves it out. By default, --quick and a repository without that commit do so too.",
    },
    out: {
      flag: "--out",
      env: "DEVICEMESH_BENCH_OUT",
      kind: "string",
      placeholder: "folder",
      description:
        "Folder of the tables and charts: bench/results by default; with --quick, the folder quick of the cache.",
    },
    cache: {
      flag: "--cache",
      env: "DEVICEMESH_BENCH_CACHE",
      kind: "string",
      default: ".cache/bench",
      placeholder: "folder",
      description: "Folder of the installed peer, the stored readings and the data of the engines.",
    },
  },
});

/** The settings of `npm run bench`. */
export type BenchConfig = SettingsOf<typeof benchSettings>;
