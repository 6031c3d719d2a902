import { once } from "node:events";
import { get, type ServerResponse } from "node:http";
import { connect, constants, type Http2ServerResponse } from "node:http2";
import { expect, it, onTestFinished } from "vitest";
import { invalidArgument, unavailable } from "../rpc/rpc-error.ts";
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

it.each(["HTTP/1.1", "HTTP/2"])(
  "reports no error of a handler whose client has disconnected: %s",
  async (protocol) => {
    const errors: unknown[] = [];
    const begun = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<void>();
    const route: HttpRoute = {
      method: "GET",
      path: "/a",
      async handle(_, response) {
        const closed = once(response as ServerResponse, "close");
        begun.resolve();
        await closed;
        setImmediate(failed.resolve);
        throw new Error("the client disconnected");
      },
    };
    const server = await startOnePortServer({
      host: "127.0.0.1",
      port: 0,
      handler: createHttpRoutes([route], { onError: (error) => errors.push(error) }),
      shutdownGraceMs: 0,
    });
    onTestFinished(() => server.close());
    const url = `http://127.0.0.1:${server.port}`;
    if (protocol === "HTTP/1.1") {
      const request = get(`${url}/a`).on("error", () => {});
      await begun.promise;
      request.destroy();
    } else {
      const session = connect(url);
      const stream = session.request({ ":path": "/a" }).on("error", () => {});
      await begun.promise;
      stream.close(constants.NGHTTP2_CANCEL);
      onTestFinished(() => session.destroy());
    }
    await failed.promise;
    expect(errors).toEqual([]);
  },
);

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

it("answers the RpcError of a handler with its status, its details and its retry hint, and does not report it", async () => {
  const errors: unknown[] = [];
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    handler: createHttpRoutes(
      [
        {
          method: "GET",
          path: "/invalid",
          handle: () =>
            Promise.reject(invalidArgument({ field: "to", description: "must be a time", reason: "to" })),
        },
        {
          method: "GET",
          path: "/unavailable",
          handle: () => Promise.reject(unavailable({ message: "the store is closed", retryDelayMs: 1500 })),
        },
      ],
      { onError: (error) => errors.push(error) },
    ),
    shutdownGraceMs: 0,
  });
  onTestFinished(() => server.close());
  const invalid = await fetch(`http://127.0.0.1:${server.port}/invalid`);
  expect(invalid.status).toBe(400);
  expect(await invalid.json()).toMatchObject({
    code: "invalid_argument",
    message: "to: must be a time",
    details: [{ type: "google.rpc.BadRequest" }],
  });
  const unavailableNow = await fetch(`http://127.0.0.1:${server.port}/unavailable`);
  expect([unavailableNow.status, unavailableNow.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(errors).toEqual([]);
});

it("cuts a response that has begun when its handler fails", async () => {
  const errors: unknown[] = [];
  const call = await serve(
    [
      {
        method: "GET",
        path: "/a",
        async handle(_, response) {
          const { promise, resolve } = Promise.withResolvers<void>();
          response.statusCode = 200;
          (response as ServerResponse).write("half of it", () => resolve());
          await promise;
          throw new Error("broken");
        },
      },
    ],
    (error) => errors.push(error),
  );
  await expect(call("GET", "/a")).rejects.toThrow();
  expect(errors).toHaveLength(1);
});

it("cuts a response over HTTP/2 with an error, so that it does not appear complete", async () => {
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    handler: createHttpRoutes([
      {
        method: "GET",
        path: "/a",
        async handle(_, response) {
          (response as Http2ServerResponse).write("half of it");
          throw new Error("broken");
        },
      },
    ]),
    shutdownGraceMs: 0,
  });
  onTestFinished(() => server.close());
  const session = connect(`http://127.0.0.1:${server.port}`);
  onTestFinished(() => session.close());
  const stream = session.request({ ":path": "/a" }).resume();
  await expect(once(stream, "close")).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
});
