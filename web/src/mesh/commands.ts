import { calls } from "./facts.ts";

/** A call for use outside the page: the service, the RPC and the request in JSON of the contract. */
export type Call = {
  readonly service: string;
  readonly method: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** Whether the response is a stream. */
  readonly isStream?: boolean;
};

/** The languages in which a call is shown. */
export const languages = ["curl", "grpcurl", "TypeScript", "Python"] as const;
export type Language = (typeof languages)[number];

/** Formats the call in a language. */
export function commandFor(language: Language, call: Call): string {
  const { scheme, curlFlags, ...at } = calls();
  const service = `devicemesh.v1.${call.service}`;
  const json = JSON.stringify(call.request);
  const { address, flags } = targetOf(call.service, at);
  if (language === "grpcurl")
    return `grpcurl ${flags} -d ${quoted(json)} ${address} ${service}/${call.method}`;
  if (language === "curl") {
    // A stream has an envelope around each message; gRPC-JSON without it is for unary calls only.
    if (call.isStream) return commandFor("grpcurl", call);
    return `curl${curlFlags} -H 'content-type: application/json' -d ${quoted(json)} ${scheme}://${address}/${service}/${call.method}`;
  }
  return language === "TypeScript"
    ? typeScript(call, `${scheme}://${address}`)
    : python(call, `${scheme}://${address}`);
}

function targetOf(
  service: string,
  at: Pick<
    ReturnType<typeof calls>,
    "query" | "ingest" | "generator" | "queryFlags" | "ingestFlags" | "generatorFlags"
  >,
): { readonly address: string; readonly flags: string } {
  if (service === "IngestService") return { address: at.ingest, flags: at.ingestFlags };
  if (service === "GeneratorService") return { address: at.generator, flags: at.generatorFlags };
  return { address: at.query, flags: at.queryFlags };
}

/** A reading to send, as a command. */
export function publishCommand(): string {
  return commandFor("grpcurl", {
    service: "IngestService",
    method: "PublishReadingBatch",
    request: {
      readings: [
        { deviceId: "my-thermostat", timestamp: new Date().toISOString(), thermostat: { temperature: 21.5 } },
      ],
    },
  });
}

/** Quotes text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function typeScript({ service, method, request, isStream }: Call, baseUrl: string): string {
  const name = `${method[0]?.toLowerCase()}${method.slice(1)}`;
  const file = service.replace(/Service$/, "").toLowerCase();
  const use = isStream
    ? `for await (const message of client.${name}(request)) console.log(message);`
    : `console.log(await client.${name}(request));`;
  return `import { fromJson } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ${method}RequestSchema, ${service} } from "./gen/devicemesh/v1/${file}_service_pb.ts";

const transport = createConnectTransport({ baseUrl: ${JSON.stringify(baseUrl)}, httpVersion: "1.1" });
const client = createClient(${service}, transport);
const request = fromJson(${method}RequestSchema, ${JSON.stringify(request)});
${use}`;
}

function python({ service, method, request, isStream }: Call, baseUrl: string): string {
  if (isStream)
    return `import subprocess

# A stream is simplest with grpcurl; examples/python shows grpcio.
subprocess.run(${JSON.stringify(commandFor("grpcurl", { service, method, request }))}, shell=True, check=True)`;
  return `import json, urllib.request

request = urllib.request.Request(
    ${JSON.stringify(`${baseUrl}/devicemesh.v1.${service}/${method}`)},
    data=json.dumps(json.loads(${JSON.stringify(JSON.stringify(request))})).encode(),
    headers={"content-type": "application/json"},
)
print(json.load(urllib.request.urlopen(request)))`;
}
