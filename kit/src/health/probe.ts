import { connect, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";

/** The status that a server reports, or why there is none: one line for users. */
export type ProbeResult =
  | { readonly kind: "serving" }
  | { readonly kind: "not-serving"; readonly reason: string };

// Node alone, without grpc-js and generated code: each health check is a process of its own, every few seconds for each
// container, and loading these took more than half of its CPU time.

/** The values of grpc.health.v1.HealthCheckResponse.ServingStatus. */
const servingStatuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
const [ok, notFound] = ["0", "5"];
const frameHeaderBytes = 5;

/**
 * Requests the status of a server, grpc-js or Connect, from grpc.health.v1 in cleartext. Never rejects: any error is a
 * reason. `service` "" is the server as a whole.
 */
export async function probe(options: {
  /** HOST:PORT. */
  readonly address: string;
  readonly service: string;
  readonly timeoutMs: number;
  /** Whether any status is sufficient. */
  readonly answering?: boolean;
}): Promise<ProbeResult> {
  const { address, service, timeoutMs, answering = false } = options;
  const subject = service === "" ? address : `${service} at ${address}`;
  const notServing = (reason: string): ProbeResult => ({ kind: "not-serving", reason });
  try {
    const status = await check(address, service, timeoutMs);
    return status === "SERVING" || answering ? { kind: "serving" } : notServing(`${subject} is ${status}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return notServing(`${subject}: ${reason.replaceAll(/\s+/g, " ")}`);
  }
}

/** One call of Health.Check. @throws Error with a text for users. */
async function check(address: string, service: string, timeoutMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const session = connect(`http://${address}`);
  const timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  session.on("error", reject);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  const chunks: Buffer[] = [];
  // A stream that is cancelled because its connection failed has that as its cause.
  stream.on("error", (error) => reject(error.cause ?? error));
  stream.on("response", (received) => {
    headers = received;
  });
  stream.on("trailers", (received) => {
    headers = { ...headers, ...received };
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("close", () => {
    const problem = problemOf(headers, service);
    if (problem === undefined) resolve(statusIn(Buffer.concat(chunks)));
    else reject(new Error(problem));
  });
  stream.end(requestFrame(service));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

function problemOf(
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
  service: string,
): string | undefined {
  const { ":status": http, "grpc-status": status, "grpc-message": message = "" } = headers;
  if (status === ok) return undefined;
  if (status === notFound) return `it has no service ${JSON.stringify(service)}`;
  if (status === undefined) return http === undefined ? "it closed the call" : `no gRPC: status ${http}`;
  return `${String(message)} (code ${status})`.trim();
}

/** A HealthCheckRequest with its frame header. */
function requestFrame(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** The status in a HealthCheckResponse with its frame header: field 1, which is absent for 0. */
function statusIn(frame: Buffer): string {
  const [tag, value = 0] = frame.subarray(frameHeaderBytes);
  const status = tag === 0x08 ? value : 0;
  return servingStatuses[status] ?? `status ${status}`;
}
