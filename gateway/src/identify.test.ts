import type { SenderCredentials } from "@devicemesh/identity";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import { expect, it } from "vitest";
import { senderOfRequests } from "./identify.ts";

it.each([
  ["Bearer abc", "Bearer abc"],
  ["Token abc", "Bearer abc"],
  [`Basic ${Buffer.from("any:a:b").toString("base64")}`, "Bearer a:b"],
  [undefined, null],
])("reads the authorization header %s as clients of InfluxDB send it", async (authorization, expected) => {
  const seen: (string | null)[] = [];
  const senderOf = senderOfRequests(async ({ headers }: SenderCredentials) => {
    seen.push(headers.get("authorization"));
    return {
      publisher: { uri: "", mayPublish: () => true, refusalText: "", problem: () => undefined },
      mayRead: false,
    };
  });
  await senderOf({ headers: { authorization }, socket: {} } as unknown as OnePortRequest);
  expect(seen).toEqual([expected]);
});
