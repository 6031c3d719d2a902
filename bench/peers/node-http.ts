// A minimal server with one reading a request: node:http that parses a JSON POST, checks nothing else, stores nothing,
// and answers 200.
import { createServer, type Server } from "node:http";

/** Starts the server on a free port of 127.0.0.1. A body that is not JSON gets 400. */
export function startNodeHttp(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      response.writeHead(parses(body) ? 200 : 400, { "content-length": 0 }).end();
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

function parses(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const server = await startNodeHttp();
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ port: typeof address === "object" ? address?.port : undefined })}\n`,
  );
}
