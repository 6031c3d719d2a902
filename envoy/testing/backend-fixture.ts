import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

/** How the backend answers calls: with an empty message, with UNAVAILABLE, or not at all. */
export type BackendMood = "answers" | "unavailable" | "silent";

/** For tests: a healthy server instead of any service, which records its calls. */
export async function startBackend(mood: BackendMood = "answers") {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/grpc.health.v1.Health/Check") {
      // HealthCheckResponse { status: SERVING }
      answer(stream, Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]));
      return;
    }
    asked.push(headers);
    stream.resume();
    if (mood === "unavailable") {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": "14" },
        { endStream: true },
      );
    } else if (mood === "answers") {
      stream.on("end", () => answer(stream, Buffer.from([0, 0, 0, 0, 0])));
    }
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    /** The headers of each attempt of each call, health checks left out. */
    asked,
    /** Number of calls of this path. */
    attempts: (path: string) => asked.filter((headers) => headers[":path"] === path).length,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(message);
}
