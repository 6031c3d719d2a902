import { X509Certificate } from "node:crypto";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { credentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createIdentityFixture,
  type IdentityFixture,
  readingsOf,
  refusalOf,
} from "../../testing/identity-fixture.ts";
import { ingestServers, type Outcome } from "../../testing/ingest-fixture.ts";

const hourMs = 3_600_000;
const oven = "spiffe://devicemesh/device/oven";

let fixture: IdentityFixture;
beforeAll(async () => {
  fixture = await createIdentityFixture();
});
afterAll(() => fixture[Symbol.dispose]());

/** Sends one reading of the oven until it is rejected. */
async function untilRefused(publish: () => Promise<Outcome>): Promise<Outcome> {
  let outcome = await publish();
  await waitUntil(async () => {
    outcome = await publish();
    return outcome.kind === "error";
  });
  return outcome;
}

describe.each(ingestServers)("ingest with certificates on %s", (server) => {
  it("accepts readings of the device that the certificate names", async () => {
    await using test = await fixture.start("certificates", { server });
    const client = test.connect((await fixture.certified(oven)).credentials);
    const outcome = await client.publish(readingsOf("oven"), readingsOf("oven", "oven"));
    expect(outcome).toMatchObject({ kind: "ok", response: { accepted: 3n, refused: 0n } });
    expect(await client.publishBatch(readingsOf("oven", "lamp"))).toMatchObject({
      response: { accepted: 1n, refused: 1n },
    });
  });

  it("rejects readings of other devices one by one, and accepts the rest", async () => {
    await using test = await fixture.start("certificates", { server });
    const client = test.connect((await fixture.certified(oven)).credentials);
    const outcome = await client.publish(readingsOf("oven", "oven2", "oven"), readingsOf("Oven", "oven"));
    expect(outcome).toMatchObject({
      response: {
        accepted: 3n,
        refused: 2n,
        refusedReadings: [
          { ordinal: 1n, fieldPath: "device_id", ruleId: "device_id.identity" },
          { ordinal: 3n, fieldPath: "device_id", ruleId: "device_id.identity" },
        ],
      },
    });
    const [refused] = outcome.kind === "ok" ? outcome.response.refusedReadings : [];
    expect(refused?.identity).toMatch(/^oven2\|temperature\|/);
    expect(refused?.text).toContain("must be oven");
    expect(refused?.text).toContain(oven);
    expect(test.memory.messages.map(({ deviceId }) => deviceId)).toEqual(["oven", "oven", "oven"]);
  });

  it("accepts the readings that a gateway's prefix covers, and rejects the others one by one", async () => {
    await using test = await fixture.start("certificates", { server });
    const gateway = await fixture.certified("spiffe://devicemesh/gateway/plant-7");
    const client = test.connect(gateway.credentials);
    const outcome = await client.publish(
      readingsOf("plant-7", "plant-70", "plant-7.a", "plant-8", "plant-7:b"),
    );
    expect(outcome).toMatchObject({ response: { accepted: 3n, refused: 2n } });
    const refused = outcome.kind === "ok" ? outcome.response.refusedReadings : [];
    expect(refused.map(({ ordinal }) => ordinal)).toEqual([1n, 3n]);
    expect(refused[0]?.text).toContain("must be plant-7 or begin with it");
  });

  it("distinguishes the names of connections", async () => {
    await using test = await fixture.start("certificates", { server });
    const first = test.connect((await fixture.certified(oven)).credentials);
    const second = test.connect((await fixture.certified("spiffe://devicemesh/device/lamp")).credentials);
    const streams = [first.openStream(), second.openStream()];
    for (const { call } of streams) call.write(readingsOf("oven", "lamp"));
    for (const { call } of streams) call.write(readingsOf("oven", "lamp", "lamp"));
    for (const { call } of streams) call.end();
    const [fromOven, fromLamp] = await Promise.all(streams.map(({ outcome }) => outcome));
    expect(fromOven).toMatchObject({ response: { accepted: 2n, refused: 3n } });
    expect(fromLamp).toMatchObject({ response: { accepted: 3n, refused: 2n } });
  });

  it("answers UNAUTHENTICATED with the solution without a certificate", async () => {
    await using test = await fixture.start("certificates", { server });
    const client = test.connect(fixture.tls());
    const refusal = refusalOf(await client.publish(readingsOf("oven")));
    expect(refusal).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: "CERTIFICATE_MISSING",
      domain: "devicemesh",
    });
    expect(refusal.text).toContain("connect with TLS and the certificate");
    expect(refusalOf(await client.publishBatch(readingsOf("oven"))).reason).toBe("CERTIFICATE_MISSING");
    expect(test.memory.messages).toEqual([]);
  });

  it("answers UNAUTHENTICATED at once, before the end of the stream", async () => {
    await using test = await fixture.start("certificates", { server });
    const { call, outcome } = test.connect(fixture.tls()).openStream();
    call.write(readingsOf("oven"));
    expect(refusalOf(await outcome).code).toBe(status.UNAUTHENTICATED);
  });

  it("has no answer in cleartext", async () => {
    await using test = await fixture.start("certificates", { server });
    const outcome = await test.connect(credentials.createInsecure()).publish(readingsOf("oven"));
    expect(refusalOf(outcome).code).toBe(status.UNAVAILABLE);
  });

  it("ignores identity headers", async () => {
    await using test = await fixture.start("certificates", { server });
    const client = test.connect(fixture.tls(), { "x-forwarded-client-cert": `URI=${oven}` });
    expect(refusalOf(await client.publish(readingsOf("oven"))).reason).toBe("CERTIFICATE_MISSING");
  });

  it("answers UNAUTHENTICATED to an expired certificate", async () => {
    await using test = await fixture.start("certificates", { server });
    const expired = await fixture.certified(oven, { notAfterMs: Date.now() - hourMs });
    const refusal = refusalOf(await test.connect(expired.credentials).publish(readingsOf("oven")));
    expect(refusal).toMatchObject({ code: status.UNAUTHENTICATED, reason: "CERTIFICATE_EXPIRED" });
  });

  it("ends a stream whose certificate expires during it", async () => {
    let nowMs = Date.now();
    await using test = await fixture.start("certificates", { server, clock: () => nowMs });
    const brief = await fixture.certified(oven, { notAfterMs: nowMs + hourMs });
    const client = test.connect(brief.credentials);
    const { call, outcome } = client.openStream();
    call.write(readingsOf("oven"));
    await waitUntil(() => test.memory.messages.length === 1);
    nowMs += 2 * hourMs;
    call.write(readingsOf("oven"));
    expect(refusalOf(await outcome)).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: "CERTIFICATE_EXPIRED",
      metadata: { uri: oven },
    });
    expect(refusalOf(await client.publish(readingsOf("oven"))).reason).toBe("CERTIFICATE_EXPIRED");
  });

  it("answers UNAUTHENTICATED to a certificate of another CA", async () => {
    await using test = await fixture.start("certificates", { server });
    const { credentials: foreign } = await fixture.certified(oven, { authority: fixture.stranger });
    const refusal = refusalOf(await test.connect(foreign).publish(readingsOf("oven")));
    expect(refusal).toMatchObject({ code: status.UNAUTHENTICATED, reason: "CERTIFICATE_UNTRUSTED" });
    expect(refusal.text).toContain("devices' CA");
  });

  it.each([
    ["of another trust domain", "spiffe://elsewhere/device/oven"],
    ["of a user", "spiffe://devicemesh/user/oven"],
    ["that is not a name", "https://devicemesh/device/oven"],
  ])("answers UNAUTHENTICATED to a certificate with a name %s", async (_, uri) => {
    await using test = await fixture.start("certificates", { server });
    const refusal = refusalOf(
      await test.connect((await fixture.certified(uri)).credentials).publish(readingsOf("oven")),
    );
    expect(refusal).toMatchObject({ code: status.UNAUTHENTICATED, reason: "CERTIFICATE_NAME" });
    expect(refusal.text).toContain("spiffe://devicemesh/device/<id>");
  });

  it.each(["serial", "sha256", "uri"] as const)(
    "reads the deny list again without a restart, and rejects a certificate that it revokes by %s",
    async (kind) => {
      await using test = await fixture.start("certificates", { server });
      const device = await fixture.certified(oven);
      const client = test.connect(device.credentials);
      expect(await client.publish(readingsOf("oven"))).toMatchObject({ response: { accepted: 1n } });
      const { serialNumber, fingerprint256 } = new X509Certificate(device.certificate);
      const value = { serial: serialNumber, sha256: fingerprint256, uri: oven }[kind];
      test.deny(`# stolen\n${kind} ${value}\n`);
      const outcome = await untilRefused(() => client.publish(readingsOf("oven")));
      expect(refusalOf(outcome)).toMatchObject({
        code: status.UNAUTHENTICATED,
        reason: "CERTIFICATE_REVOKED",
        metadata: { uri: oven },
      });
      const other = await fixture.certified("spiffe://devicemesh/device/lamp");
      expect(await test.connect(other.credentials).publish(readingsOf("lamp"))).toMatchObject({ kind: "ok" });
      test.deny("none");
      await waitUntil(async () => (await client.publish(readingsOf("oven"))).kind === "ok");
    },
  );

  it("ends an open stream when its certificate is revoked", async () => {
    await using test = await fixture.start("certificates", { server });
    const { call, outcome } = test.connect((await fixture.certified(oven)).credentials).openStream();
    let ended = false;
    const end = outcome.finally(() => {
      ended = true;
    });
    call.write(readingsOf("oven"));
    test.deny(`uri ${oven}`);
    await waitUntil(() => {
      if (!ended) call.write(readingsOf("oven"));
      return ended;
    });
    expect(refusalOf(await end).reason).toBe("CERTIFICATE_REVOKED");
  });
});

describe.each(ingestServers)("ingest behind Envoy on %s", (server) => {
  const insecure = credentials.createInsecure();

  it("reads the device from the header that Envoy sets", async () => {
    await using test = await fixture.start("header", { server });
    const client = test.connect(insecure, { "x-forwarded-client-cert": `Hash=ab12;URI=${oven}` });
    const outcome = await client.publish(readingsOf("oven", "lamp"));
    expect(outcome).toMatchObject({ response: { accepted: 1n, refused: 1n } });
  });

  it("answers UNAUTHENTICATED without the header", async () => {
    await using test = await fixture.start("header", { server });
    const refusal = refusalOf(await test.connect(insecure).publish(readingsOf("oven")));
    expect(refusal).toMatchObject({ code: status.UNAUTHENTICATED, reason: "CERTIFICATE_MISSING" });
  });

  it.each([
    ["of two clients", `URI=${oven},URI=spiffe://devicemesh/device/lamp`, "CERTIFICATE_UNTRUSTED"],
    ["with two names", `URI=${oven};URI=spiffe://devicemesh/device/lamp`, "CERTIFICATE_NAME"],
    ["without a name", "Hash=ab12", "CERTIFICATE_NAME"],
    ["that is not a header of Envoy", "oven", "CERTIFICATE_UNTRUSTED"],
  ])("answers UNAUTHENTICATED to a header %s", async (_, header, reason) => {
    await using test = await fixture.start("header", { server });
    const client = test.connect(insecure, { "x-forwarded-client-cert": header });
    expect(refusalOf(await client.publish(readingsOf("oven")))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason,
    });
  });

  it("rejects a certificate that the deny list revokes, by the fingerprint that Envoy forwards", async () => {
    await using test = await fixture.start("header", { server });
    const client = test.connect(insecure, { "x-forwarded-client-cert": `Hash=00ab12;URI=${oven}` });
    expect((await client.publish(readingsOf("oven"))).kind).toBe("ok");
    test.deny("sha256 00:AB:12");
    const outcome = await untilRefused(() => client.publish(readingsOf("oven")));
    expect(refusalOf(outcome).reason).toBe("CERTIFICATE_REVOKED");
  });
});
