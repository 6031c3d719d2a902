// Checks the rules that no linter knows: allowed imports, the length of files, forbidden contents of the repository.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brokenTreeRules, figuresText, linesMax, treeFigures } from "./tidy-tree.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A file of the tree. */
export type SourceFile = { readonly path: string; readonly text: string };

/** Vendors that only their adapter files may import, by the prefix of those files' names. */
const adapterVendors: readonly { readonly vendor: RegExp; readonly file: RegExp }[] = [
  { vendor: /from "@duckdb\//, file: /^duckdb-.*\.ts$/ },
  { vendor: /from "(kafkajs|@platformatic\/kafka)"/, file: /^kafka-.*\.ts$/ },
  { vendor: /from "mongodb"/, file: /^mongo-.*\.ts$/ },
  { vendor: /from "prom-client"/, file: /^metrics.*\.ts$/ },
  { vendor: /from "jose"/, file: /^jose-.*\.ts$|\.test\.ts$/ },
  { vendor: /from "@peculiar\/|"reflect-metadata"/, file: /^x509-.*\.ts$|\.test\.ts$/ },
  { vendor: /from "[^"]*\/gen\/spark\//, file: /^spark-.*\.ts$/ },
  // It logs data of clients to standard error; kit's connect-handler replaces it.
  { vendor: /\bconnectNodeAdapter\b/, file: /\.test\.ts$/ },
  { vendor: /from "apache-arrow"/, file: /^arrow-.*\.ts$/ },
  { vendor: /from "hyparquet/, file: /^parquet-.*\.ts$/ },
  { vendor: /from "@grafana\//, file: /^grafana-.*\.ts$/ },
];

/** The workspaces that each workspace may import; one that is not listed may import all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  kit: ["proto"],
  identity: ["proto", "kit"],
  pipeline: ["proto", "kit"],
  ingest: ["proto", "kit", "identity", "pipeline"],
  web: ["proto", "kit"],
  query: ["proto", "kit", "identity", "pipeline", "web"],
  client: ["proto", "kit"],
  import: ["proto", "kit", "client"],
  generator: ["proto", "kit", "identity", "client", "import"],
  gateway: ["proto", "kit", "identity", "client", "import"],
  "store-duckdb": ["proto", "kit", "ingest", "query"],
  standalone: [
    "proto",
    "kit",
    "identity",
    "client",
    "ingest",
    "query",
    "generator",
    "gateway",
    "import",
    "store-duckdb",
    "web",
  ],
  // Everything except proto only in its tests: it is a proxy in front of the services.
  envoy: ["proto", "kit", "identity", "engines", "client", "ingest", "query", "generator", "gateway"],
  engines: ["kit"],
  stack: [
    "proto",
    "kit",
    "identity",
    "envoy",
    "engines",
    "ingest",
    "query",
    "generator",
    "gateway",
    "pipeline",
    "operator",
    "aggregator",
  ],
  operator: ["proto", "kit", "pipeline"],
  aggregator: ["proto", "kit", "pipeline", "query"],
  simulate: ["proto", "kit", "ingest", "query", "aggregator"],
  // Code that a user copies: it imports only the contract.
  examples: [],
  mesh: [
    "proto",
    "kit",
    "identity",
    "pipeline",
    "engines",
    "envoy",
    "ingest",
    "query",
    "generator",
    "gateway",
    "operator",
    "aggregator",
    "standalone",
  ],
};

type Rule = { readonly text: string; readonly breaks: (file: SourceFile) => boolean };

const isTypeScript = ({ path }: SourceFile): boolean => /\.tsx?$/.test(path);
const isTest = ({ path }: SourceFile): boolean =>
  /\.test\.ts$|^[a-z0-9-]+\/testing\//.test(path) || path.startsWith("e2e/");
const isTestSupport = ({ path }: SourceFile): boolean => /^[a-z0-9-]+\/testing\//.test(path);
/** A test on the real engines, or its fixture: it may import them, and the operator's preparation. */
const isEngineTest = ({ path }: SourceFile): boolean =>
  /\.(engine|soak)\.test\.ts$|\/testing\/.*\.engine\.ts$/.test(path);
const isService = ({ path }: SourceFile): boolean => Object.hasOwn(mayImport, path.split("/")[0] ?? "");

/** This file and its test: they contain what some rules forbid. */
const quotesRules = ({ path }: SourceFile): boolean => /^scripts\/tidy(\.test)?\.ts$/.test(path);

const rules: readonly Rule[] = [
  {
    text: `a source file has at most ${linesMax} lines`,
    breaks: (file) => isTypeScript(file) && file.text.split("\n").length > linesMax + 1,
  },
  {
    text: "file names are kebab-case",
    breaks: (file) =>
      isTypeScript(file) && !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.tsx?$/.test(basename(file.path)),
  },
  {
    text: "only an adapter file imports its vendor",
    breaks: (file) =>
      isTypeScript(file) &&
      isService(file) &&
      !isTestSupport(file) &&
      adapterVendors.some(
        ({ vendor, file: name }) => vendor.test(file.text) && !name.test(basename(file.path)),
      ),
  },
  {
    text: "a workspace imports only what the architecture allows",
    breaks: (file) => {
      const allowed = mayImport[file.path.split("/")[0] ?? ""];
      if (!allowed || !isTypeScript(file)) return false;
      const own = file.path.split("/")[0];
      return [...file.text.matchAll(/from "@devicemesh\/([a-z0-9-]+)/g)].some(
        ([, name]) =>
          name !== own &&
          !allowed.includes(name ?? "") &&
          !(isEngineTest(file) && ["engines", "operator"].includes(name ?? "")),
      );
    },
  },
  {
    text: "process.env appears in main.ts only",
    breaks: (file) =>
      isTypeScript(file) &&
      isService(file) &&
      !isTest(file) &&
      basename(file.path) !== "main.ts" &&
      /process\.env/.test(file.text),
  },
  {
    text: "main.ts has at most 60 lines",
    breaks: (file) =>
      isService(file) && basename(file.path) === "main.ts" && file.text.split("\n").length > 61,
  },
  {
    text: "no test is skipped or alone, nothing is left to do",
    breaks: (file) =>
      isTypeScript(file) &&
      !quotesRules(file) &&
      /\b(it|test|describe)\.(only|skip|todo)\(|\b(TODO|FIXME|XXX)\b/.test(file.text),
  },
  {
    text: "no cast to any, no suppressed error",
    breaks: (file) =>
      isTypeScript(file) &&
      !quotesRules(file) &&
      /\bas any\b(?! [a-z])|@ts-(ignore|expect-error|nocheck)|biome-ignore/.test(file.text),
  },
  {
    text: "the pure core of query knows no engine",
    breaks: (file) =>
      /^query\/src\/plan\/[a-z-]+(?<!\.test)\.ts$/.test(file.path) &&
      /duckdb|mongo|kafka|spark/i.test(file.text),
  },
  {
    text: "no path of a machine and no registry's host",
    breaks: (file) =>
      !quotesRules(file) &&
      /(^|[\s"'(=])\/(root|home|work)\/[a-z]|registry\.npmjs|pypi\.org|repo1\.maven|proxy\.golang/.test(
        file.text,
      ),
  },
];

/** Returns the rules that the files break, as "path: rule". */
export function untidy(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    rules.filter((rule) => rule.breaks(file)).map((rule) => `${file.path}: ${rule.text}`),
  );
}

/** Returns the files that are written by hand: those that git tracks or would add, without generated ones. */
export function writtenFiles(): SourceFile[] {
  const list = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  return list
    .split("\n")
    .filter((path) =>
      /\.(tsx?|mjs|js|css|md|json|ya?ml|html|proto|py|go|java|sh|conf|properties|Dockerfile)$|^\.ci\/run$/.test(
        path,
      ),
    )
    .filter(
      (path) =>
        !/^(proto\/(gen|vendor)|aggregator\/(gen|proto)|examples\/(browser|go)\/gen|bench\/results)\/|package-lock\.json$/.test(
          path,
        ),
    )
    .filter((path) => existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

if (import.meta.main) {
  const files = writtenFiles();
  const found = [...untidy(files), ...brokenTreeRules(files)];
  console.log(figuresText(treeFigures(files)));
  if (found.length > 0) {
    console.error(found.join("\n"));
    process.exit(1);
  }
}
