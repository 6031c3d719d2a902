import { readFileSync } from "node:fs";
import { defineSettings, loadSettings } from "../settings/define-settings.ts";
import { probeHttp } from "./http-probe.ts";
import { probe } from "./probe.ts";

/** The settings of the probe. It has no environment variables, because those of its container are for the service. */
const probeSettings = defineSettings({
  prefix: "DEVICEMESH_PROBE_",
  usage: "node kit/src/health/probe-main.ts HOST:PORT [SERVICE] [flags]",
  summary:
    "Calls grpc.health.v1 of a server, or with --http an HTTP resource. Exit code 0: SERVING or 2xx; 1: anything else, with the reason; 2: wrong arguments.",
  positionals: { max: 2, placeholder: "HOST:PORT SERVICE" },
  settings: {
    timeoutMs: {
      flag: "--timeout",
      env: "DEVICEMESH_PROBE_TIMEOUT",
      kind: "duration",
      default: "3s",
      minimum: "1ms",
      maximum: "1m",
      description: "Time limit of the call.",
    },
    answering: {
      flag: "--answering",
      env: "DEVICEMESH_PROBE_ANSWERING",
      kind: "boolean",
      default: false,
      description:
        "End with 0 for any response. A server that reports NOT_SERVING waits for another service, and a restart would not help.",
    },
    http: {
      flag: "--http",
      env: "DEVICEMESH_PROBE_HTTP",
      kind: "string",
      placeholder: "PATH",
      description: "Send a GET for this path instead, to a server without gRPC.",
    },
    ca: {
      flag: "--ca",
      env: "DEVICEMESH_PROBE_CA",
      kind: "string",
      placeholder: "FILE",
      description:
        "With --http: CA (PEM) of the server's certificate, which must name HOST; cleartext without it.",
    },
  },
});

/** The result of a run: its exit code, and its output to each stream. */
export type ProbeOutcome = {
  readonly exitCode: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs the probe's command line; `args` are without node and script. */
export async function runProbe(args: readonly string[]): Promise<ProbeOutcome> {
  const loaded = loadSettings(probeSettings, { args, env: {} });
  if (loaded.kind === "help") return { exitCode: 0, stdout: loaded.text, stderr: "" };
  if (loaded.kind === "problems") return { exitCode: 2, stdout: "", stderr: loaded.text };
  const [address, service = ""] = loaded.positionals;
  if (address === undefined || !isAddress(address)) {
    const problem =
      address === undefined ? "no address was given" : `${JSON.stringify(address)} is not an address`;
    return {
      exitCode: 2,
      stdout: "",
      stderr: `${problem}: ${probeSettings.usage}\n`,
    };
  }
  const { http, ca, ...values } = loaded.values;
  const result =
    http === undefined
      ? await probe({ address, service, ...values })
      : await probeHttp({
          ...{ address, path: http, timeoutMs: values.timeoutMs },
          ca: ca === undefined ? undefined : readFileSync(ca),
        });
  return result.kind === "serving"
    ? { exitCode: 0, stdout: "", stderr: "" }
    : { exitCode: 1, stdout: `${result.reason}\n`, stderr: "" };
}

/** A host, or an IPv6 address in brackets, and a port. */
function isAddress(text: string): boolean {
  const port = Number(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
}
