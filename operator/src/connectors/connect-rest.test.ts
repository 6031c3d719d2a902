import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { ConnectRestError, createConnectRest } from "./connect-rest.ts";

/** Kafka Connect that returns these responses, one after the other. */
async function connectThat(answers: readonly { readonly status: number; readonly body?: unknown }[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { status, body } = answers[Math.min(asked.length, answers.length - 1)]!;
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status).end(body === undefined ? "" : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    asked,
    rest: createConnectRest({ url, timeoutMs: 5000, rebalanceMs: 5000 }),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe("Kafka Connect's REST interface", () => {
  it("returns undefined for a connector that does not exist", async () => {
    await using connect = await connectThat([{ status: 404, body: { message: "not found" } }]);
    expect(await connect.rest.readConfig("a b")).toBeUndefined();
    expect(await connect.rest.readState("a")).toBeUndefined();
    await connect.rest.remove("a");
    expect(connect.asked[0]).toBe("GET /connectors/a%20b/config");
  });

  it("is retried while the workers rebalance, with either of their status codes", async () => {
    await using connect = await connectThat([
      { status: 409, body: { message: "Cannot complete request momentarily due to stale configuration" } },
      { status: 500, body: { message: "Request cannot be completed because a rebalance is expected" } },
      { status: 200, body: { name: "a" } },
    ]);
    expect(await connect.rest.readConfig("a")).toEqual({ name: "a" });
    expect(connect.asked.length).toBe(3);
  });

  it("rejects with its response", async () => {
    await using connect = await connectThat([{ status: 400, body: { message: "no such class" } }]);
    const failed = connect.rest.writeConfig("a", {});
    await expect(failed).rejects.toThrow(ConnectRestError);
    await expect(failed).rejects.toThrow(/PUT \/connectors\/a\/config with 400: .*no such class/);
  });

  it("rejects without the password that the response contains", async () => {
    const body = { message: "Invalid value mongodb://sink:s3cret@db/ for configuration connection.uri" };
    await using connect = await connectThat([{ status: 400, body }]);
    const error: unknown = await connect.rest.writeConfig("a", {}).catch((caught: unknown) => caught);
    expect(String(error)).toContain("mongodb://sink:…@db/ for configuration");
    expect(String(error)).not.toContain("s3cret");
  });

  it("names the address that it cannot reach", async () => {
    const connect = await connectThat([{ status: 200 }]);
    await connect[Symbol.asyncDispose]();
    await expect(connect.rest.readState("a")).rejects.toThrow(/cannot be reached at http:\/\/127.0.0.1:\d+/);
  });

  it("reports that offsets cannot be deleted before the connector has stopped", async () => {
    await using connect = await connectThat([
      { status: 400, body: { message: "Connectors must be in the STOPPED state" } },
      { status: 200, body: {} },
    ]);
    expect(await connect.rest.forgetOffsets("a")).toBe(false);
    expect(await connect.rest.forgetOffsets("a")).toBe(true);
  });
});
