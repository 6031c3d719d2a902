// Tools that the checks and tests run like a user. They are downloaded once into .tools.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy as findInstalledEnvoy } from "../src/index.ts";

const toolsFolder = join(fileURLToPath(new URL("../..", import.meta.url)), ".tools");
const binFolder = join(toolsFolder, "bin");
const telegrafModule = "github.com/influxdata/telegraf/cmd/telegraf@v1.37.2";
/** Telegraf with the plugins of the recipe and its test alone: all of them take half an hour to build. */
const telegrafTags = "custom,inputs.file,inputs.temp,outputs.influxdb_v2,parsers.influx,serializers.influx";
const grpcurlModule = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4";

/** The Go module of the Connect conformance suite: its runner is built, and its protos are read. */
const conformanceModule = "connectrpc.com/conformance";
const conformanceVersion = "v1.0.7";
const conformanceFolder = join(toolsFolder, `conformance-${conformanceVersion}`);

const enginesMain = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Returns the path of grpcurl, in .tools/bin or on the PATH, or undefined. */
export function findGrpcurl(): string | undefined {
  return findProgram("grpcurl");
}

/** Returns the paths of Prometheus and its promtool on the PATH (Debian: prometheus), or undefined. */
export function findPrometheus(): { readonly server: string; readonly promtool: string } | undefined {
  const [server, promtool] = [findProgram("prometheus"), findProgram("promtool")];
  return server !== undefined && promtool !== undefined ? { server, promtool } : undefined;
}

/** Returns the paths of the Connect conformance runner and its protos, or undefined if they are not installed. */
export function findConformance(): { readonly runner: string; readonly protos: string } | undefined {
  const protos = join(conformanceFolder, "proto");
  const runner = findProgram("connectconformance");
  return runner !== undefined && existsSync(protos) ? { runner, protos } : undefined;
}

/** Returns the path of this project's version of Envoy among the engines, or undefined. */
export function findEnvoy(): string | undefined {
  return findInstalledEnvoy(process.env.DEVICEMESH_ENGINES_CACHE);
}

/** Returns the paths of Chromium and of certutil, which adds its trusted certificates; undefined unless both exist. */
export function findBrowserTools(): { readonly chromium: string; readonly certutil: string } | undefined {
  const chromium = ["chromium", "chromium-browser", "google-chrome"].map(findProgram).find((path) => path);
  const certutil = findProgram("certutil");
  return chromium !== undefined && certutil !== undefined ? { chromium, certutil } : undefined;
}

/** Returns Docker's command line, if it supports `docker stack config`. */
export function findDocker(): string | undefined {
  const { status } = spawnSync("docker", ["stack", "config", "--help"], { stdio: "ignore" });
  return status === 0 ? "docker" : undefined;
}

/** Installs grpcurl with Go if it is missing. Without Go, prints that its tests are skipped. */
export function ensureGrpcurl(): void {
  if (!findGrpcurl()) goInstall("grpcurl", grpcurlModule);
}

/** Returns the path of Telegraf, in .tools/bin or on the PATH, or undefined. */
export function findTelegraf(): string | undefined {
  return findProgram("telegraf");
}

/** Builds Telegraf with Go if it is missing (two minutes of CPU). Without Go, prints that its test is skipped. */
export function ensureTelegraf(): void {
  if (!findTelegraf()) goInstall("telegraf", telegrafModule, ["-tags", telegrafTags]);
}

/** Returns the path of a C++ compiler, or undefined. */
export function findCompiler(): string | undefined {
  return findProgram("g++");
}

/** Installs the Connect conformance suite with Go if it is missing, or prints that its test is skipped. */
export function ensureConformance(): void {
  if (findConformance()) return;
  const module = `${conformanceModule}@${conformanceVersion}`;
  goInstall("connectconformance", `${conformanceModule}/cmd/connectconformance@${conformanceVersion}`);
  const { status, stdout } = spawnSync("go", ["mod", "download", "-json", module], { encoding: "utf8" });
  if (status !== 0) return;
  const { Dir: source } = JSON.parse(stdout) as { Dir: string };
  cpSync(join(source, "proto"), join(conformanceFolder, "proto"), { recursive: true });
}

/** Installs Envoy beside the engines if it is missing, or prints that its tests cannot run. */
export function ensureEnvoy(): void {
  if (findEnvoy()) return;
  const { status } = spawnSync(process.execPath, [enginesMain, "--only-envoy"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) console.log("Envoy could not be installed: its check FAILS and its tests are SKIPPED.");
}

/** The packages of Python programs, by program; another list makes another folder. */
const pythonRequirements = {
  example: join(toolsFolder, "../examples/python/requirements.txt"),
  gateway: join(toolsFolder, "../gateway/testing/requirements.txt"),
  recipes: join(toolsFolder, "../docs/recipes/requirements.txt"),
} as const;

function pythonFolder(name: keyof typeof pythonRequirements): string {
  const hash = createHash("sha256").update(readFileSync(pythonRequirements[name])).digest("hex");
  return join(toolsFolder, `${name}-python-${hash.slice(0, 12)}`);
}

function findPython(name: keyof typeof pythonRequirements): string | undefined {
  const folder = pythonFolder(name);
  return existsSync(join(folder, "complete")) ? folder : undefined;
}

function ensurePython(name: keyof typeof pythonRequirements, what: string): void {
  if (findPython(name)) return;
  if (installPython(pythonFolder(name), ["-r", pythonRequirements[name]])) return;
  console.log(
    `${what} could not be installed: its tests are SKIPPED. Install Python 3.11 or later with venv (Debian: python3-venv).`,
  );
}

/** Returns the Python venv of the Python example, or undefined if it is not installed. */
export function findExamplePython(): string | undefined {
  return findPython("example");
}

/** Creates it if it is missing (55 MB), or prints that the example's tests are skipped. */
export function ensureExamplePython(): void {
  ensurePython("example", "the Python example");
}

/** Returns the Python venv of the recipes of docs/recipes, or undefined if it is not installed. */
export function findRecipesPython(): string | undefined {
  return findPython("recipes");
}

/** Creates it if it is missing (700 MB), or prints that the recipes' tests are skipped. */
export function ensureRecipesPython(): void {
  ensurePython("recipes", "what the recipes of docs/recipes need");
}

/** Creates a venv with these packages, and marks it as complete. */
function installPython(folder: string, packages: readonly string[]): boolean {
  console.log(`installing ${packages.join(" ")} with pip into ${folder} (once) ...`);
  rmSync(folder, { recursive: true, force: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const steps = [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin/python"), ...pip, ...packages],
  ];
  const installed = steps.every(([command = "", ...args]) => {
    return spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
  });
  if (installed) writeFileSync(join(folder, "complete"), "");
  return installed;
}

/**
 * Returns the Python venv with the clients of MQTT and InfluxDB that test the gateway, or undefined if it is not
 * installed.
 */
export function findGatewayPython(): string | undefined {
  return findPython("gateway");
}

/** Creates it if it is missing, or prints that its tests are skipped. */
export function ensureGatewayPython(): void {
  ensurePython("gateway", "the Python clients of the gateway");
}

/** Programs of npm that tests run as a user does; they are not our dependencies. */
const npmPrograms = {
  /** MongoDB's shell, 150 MB. */
  mongosh: { version: "2.12.0", main: "bin/mongosh.js" },
  /** 120 MB. */
  "node-red": { version: "5.0.7", main: "red.js" },
  /** MicroPython for WebAssembly, 0.5 MB. */
  "@micropython/micropython-webassembly-pyscript": { version: "1.27.0", main: "micropython.mjs" },
} as const;

type NpmProgram = keyof typeof npmPrograms;

const npmFolder = (name: NpmProgram): string => join(toolsFolder, `${name}-${npmPrograms[name].version}`);

/** Returns the main file of a program of npm, for Node, or undefined if it is not installed. */
export function findNpmProgram(name: NpmProgram): string | undefined {
  const folder = npmFolder(name);
  if (!existsSync(join(folder, "complete"))) return undefined;
  return join(folder, "node_modules", name, npmPrograms[name].main);
}

/** Installs those that are missing with npm, or prints that their tests are skipped. */
export function ensureNpmPrograms(): void {
  for (const name of Object.keys(npmPrograms) as NpmProgram[]) {
    if (!findNpmProgram(name)) installNpmProgram(name);
  }
}

function installNpmProgram(name: NpmProgram): void {
  const folder = npmFolder(name);
  const spec = `${name}@${npmPrograms[name].version}`;
  console.log(`installing ${spec} with npm into ${folder} (once) ...`);
  mkdirSync(folder, { recursive: true });
  // Their optional parts would be compiled.
  const flags = ["--no-audit", "--no-fund", "--loglevel", "error", "--omit=optional", "--ignore-scripts"];
  const { status } = spawnSync("npm", ["install", ...flags, "--prefix", folder, spec], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status === 0) writeFileSync(join(folder, "complete"), "");
  else console.log(`${spec} could not be installed: its tests are SKIPPED.`);
}

/** Returns the path of Go, or undefined. */
export function findGo(): string | undefined {
  return findProgram("go");
}

function findProgram(name: string): string | undefined {
  const folders = [binFolder, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function goInstall(name: string, module: string, flags: readonly string[] = []): void {
  console.log(`installing ${name} (go install ${module}) ...`);
  const result = spawnSync("go", ["install", ...flags, module], {
    env: { ...process.env, GOBIN: binFolder },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.status !== 0) {
    console.log(
      `${name} could not be installed: the tests that call it are SKIPPED. Install Go 1.24 or later, or put ${name} on the PATH.`,
    );
  }
}
