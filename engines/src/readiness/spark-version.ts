import { connect } from "node:http2";

/** One session for all probes of a server: sessions do not expire there, so each new one would stay forever. */
const sessionId = "5d1e5a1a-0000-4000-8000-0de51ce3e5b0";
const user = "devicemesh-engines";

/** Field numbers of `spark.connect.AnalyzePlanRequest`. */
const field = { sessionId: 1, userContext: 2, userId: 1, sparkVersion: 10 } as const;

/**
 * Requests the version of a Spark Connect server, which needs a session and a SparkContext behind the port.
 * @throws Error if it does not answer with OK in `limitMs`.
 */
export function sparkVersion(options: {
  readonly host: string;
  readonly port: number;
  readonly limitMs: number;
}): Promise<string> {
  const { host, port, limitMs } = options;
  return new Promise((resolve, reject) => {
    const session = connect(`http://${host}:${port}`);
    const received: Buffer[] = [];
    const end = (settle: () => void): void => {
      session.destroy();
      settle();
    };
    const fail = (error: Error): void => end(() => reject(error));
    const timer = setTimeout(() => fail(new Error(`no answer in ${limitMs} ms`)), limitMs);
    session.once("close", () => clearTimeout(timer));
    session.once("error", fail);
    const call = session.request({
      ":method": "POST",
      ":path": "/spark.connect.SparkConnectService/AnalyzePlan",
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.once("error", fail);
    call.on("data", (chunk: Buffer) => received.push(chunk));
    const onStatus = (headers: Readonly<Record<string, unknown>>): void => {
      const status = headers["grpc-status"];
      if (status === undefined) return;
      const version = /(\d+\.\d+\.\d+[\w.-]*)/.exec(Buffer.concat(received).toString("latin1"))?.[1];
      if (status === "0" && version) end(() => resolve(version));
      else fail(new Error(`gRPC status ${String(status)}: ${String(headers["grpc-message"] ?? "")}`));
    };
    // A rejected call has its status in the headers, an answered one in the trailers.
    call.once("response", onStatus);
    call.once("trailers", onStatus);
    call.once("close", () => fail(new Error(`${host}:${port} ended the call`)));
    call.end(grpcFrame(versionRequest()));
  });
}

function versionRequest(): Buffer {
  return Buffer.concat([
    delimited(field.sessionId, Buffer.from(sessionId)),
    delimited(field.userContext, delimited(field.userId, Buffer.from(user))),
    delimited(field.sparkVersion, Buffer.alloc(0)),
  ]);
}

/** A length-delimited field of less than 128 bytes. */
function delimited(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

function grpcFrame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
