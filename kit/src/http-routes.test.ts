import { expect, it, onTestFinished } from "vitest";
import { createHttpRoutes, type HttpRoute } from "./http-routes.ts";
import { startOnePortServer } from "./one-port-server.ts";

const textRoute = (method: HttpRoute["method"], path: string): HttpRoute => ({
  method,
  path,
  handle: (_, response, url) => void response.end(`${method} ${path} ${url.search}`),
});

async function serve(routes: readonly HttpRoute[], onError: (error: unknown) => void = () => {}) {
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    handler: createHttpRoutes(routes, { onError }),
    shutdownGraceMs: 0,
  });
  onTestFinished(() => server.close());
  return async (method: string, path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, allow: response.headers.get("allow"), body: await response.text() };
  };
}

it("dispatches by method and path, exact paths and longer prefixes first", async () => {
  const call = await serve([
    textRoute("GET", "/v1/readings"),
    textRoute("POST", "/v1/readings"),
    textRoute("GET", "/*"),
    textRoute("GET", "/v1/*"),
  ]);
  expect((await call("GET", "/v1/readings?a=1")).body).toBe("GET /v1/readings ?a=1");
  expect((await call("POST", "/v1/readings")).body).toBe("POST /v1/readings ");
  expect((await call("GET", "/v1/other")).body).toBe("GET /v1/* ");
  expect((await call("GET", "/")).body).toBe("GET /* ");
});

it("answers HEAD like GET, another method with 405, an unknown path with 404", async () => {
  const call = await serve([textRoute("GET", "/a"), textRoute("POST", "/a")]);
  expect(await call("HEAD", "/a")).toMatchObject({ status: 200, body: "" });
  expect(await call("PUT", "/a")).toMatchObject({ status: 405, allow: "GET, POST" });
  expect((await call("GET", "/b")).status).toBe(404);
});

it("answers 500 for a handler that fails, and reports the error", async () => {
  const errors: unknown[] = [];
  const failure = new Error("secret");
  const call = await serve([{ method: "GET", path: "/a", handle: () => Promise.reject(failure) }], (error) =>
    errors.push(error),
  );
  const { status, body } = await call("GET", "/a");
  expect(status).toBe(500);
  expect(body).not.toContain("secret");
  expect(errors).toEqual([failure]);
});
