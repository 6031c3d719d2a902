import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AccessFixture,
  ask,
  bearer,
  createAccessFixture,
  reasonOf,
} from "../../testing/access-fixture.ts";
import { failureOf, temperature } from "../../testing/query-fixture.ts";

const dayMs = 86_400_000;
const grpc = (baseUrl: string) => createGrpcTransport({ baseUrl });

let fixture: AccessFixture;
beforeAll(async () => {
  fixture = await createAccessFixture();
});
afterAll(() => fixture[Symbol.dispose]());

describe("query with tokens, as things change", () => {
  it("reads the deny list again without a restart, and rejects the token that it revokes", async () => {
    await using running = await fixture.start();
    const transport = grpc(running.baseUrl);
    const stolen = bearer(await fixture.issuer.token({ tokenId: "stolen" }));
    const other = bearer(await fixture.issuer.token({ tokenId: "other" }));
    await ask(transport, stolen);
    running.deny("token stolen # reported today");
    await waitUntil(() =>
      ask(transport, stolen).then(
        () => false,
        () => true,
      ),
    );
    const refusal = await failureOf(ask(transport, stolen));
    expect(reasonOf(refusal)).toMatchObject({
      code: Code.Unauthenticated,
      reason: "TOKEN_REVOKED",
      metadata: { tokenId: "stolen" },
    });
    await ask(transport, other);
  });

  it("keeps revoked entries while the deny list is invalid or missing", async () => {
    await using running = await fixture.start();
    const transport = grpc(running.baseUrl);
    const [first, second] = await Promise.all(
      ["one", "two"].map(async (tokenId) => bearer(await fixture.issuer.token({ tokenId }))),
    );
    running.deny("token one");
    await waitUntil(() =>
      ask(transport, first).then(
        () => false,
        () => true,
      ),
    );
    running.deny("tokne one\ntoken two");
    await waitUntil(() =>
      ask(transport, second).then(
        () => false,
        () => true,
      ),
    );
    expect(reasonOf(await failureOf(ask(transport, first))).reason).toBe("TOKEN_REVOKED");
  });

  it("loads other keys without a restart, and no longer trusts the old ones", async () => {
    await using running = await fixture.start();
    const transport = grpc(running.baseUrl);
    const [before, after] = [bearer(await fixture.issuer.token()), bearer(await fixture.stranger.token())];
    await ask(transport, before);
    running.signWith(fixture.stranger);
    await waitUntil(() =>
      ask(transport, after).then(
        () => true,
        () => false,
      ),
    );
    expect(reasonOf(await failureOf(ask(transport, before))).reason).toBe("TOKEN_SIGNATURE");
  });

  it("rejects a previously accepted token after its expiry", async () => {
    await using running = await fixture.start();
    const transport = grpc(running.baseUrl);
    const token = bearer(await fixture.issuer.token());
    await ask(transport, token);
    running.pass(2 * dayMs);
    expect(reasonOf(await failureOf(ask(transport, token))).reason).toBe("TOKEN_EXPIRED");
  });

  it.each([
    ["its token is revoked", "TOKEN_REVOKED"],
    ["its token expires", "TOKEN_EXPIRED"],
  ])("ends a watch before its next message when %s", async (_, reason) => {
    await using running = await fixture.start();
    running.memory.append([temperature("a", -20_000)]);
    const headers = bearer(await fixture.issuer.token({ tokenId: "watcher" }));
    const client = createClient(QueryService, grpc(running.baseUrl));
    let messages = 0;
    const ended = failureOf(
      (async () => {
        for await (const _message of client.watchAggregates({}, { headers })) messages++;
      })(),
    );
    await waitUntil(() => messages > 0);
    if (reason === "TOKEN_EXPIRED") running.pass(2 * dayMs);
    else {
      running.deny("token watcher");
      await waitUntil(() =>
        client.listSeries({}, { headers }).then(
          () => false,
          () => true,
        ),
      );
    }
    const before = messages;
    running.memory.append([temperature("a", reason === "TOKEN_EXPIRED" ? 2 * dayMs - 10_000 : -10_000)]);
    expect(reasonOf(await ended)).toMatchObject({ code: Code.Unauthenticated, reason });
    expect(messages).toBe(before);
  });
});
