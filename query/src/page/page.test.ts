import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createPage } from "./page.ts";

const facts = {
  ingest: "127.0.0.1:1",
  query: "127.0.0.1:2",
  generator: "127.0.0.1:3",
  data: 'a <b> & "c"',
  dataKind: "a folder",
};

function get(url: string, method = "GET", headers: Readonly<Record<string, string>> = {}) {
  const answer = { status: 0, body: "", policy: "" };
  createPage(() => facts)({ url, method, headers }, {
    writeHead(status: number, sent: Readonly<Record<string, string>>) {
      answer.status = status;
      answer.policy = sent["content-security-policy"] ?? "";
    },
    end(body: string) {
      answer.body = body;
    },
  } as unknown as Parameters<ReturnType<typeof createPage>>[1]);
  return answer;
}

describe("createPage", () => {
  it("shows the facts, escaped, and leaves no place of the template empty", () => {
    const { status, body } = get("/");
    expect(status).toBe(200);
    for (const fact of [facts.ingest, facts.query, facts.generator, facts.dataKind]) {
      expect(body).toContain(fact);
    }
    expect(body).toContain("a &lt;b> &amp; &quot;c&quot;");
    expect(body).not.toMatch(/\{\{|undefined/);
  });

  it("lets only its own script run, and only ask where it is from", () => {
    const { body, policy } = get("/");
    const script = /<script>([\s\S]*)<\/script>/.exec(body)?.[1] ?? "";
    const hash = createHash("sha256").update(script).digest("base64");
    expect(policy).toContain(`script-src 'sha256-${hash}'; connect-src 'self'`);
    expect(policy).toMatch(/^default-src 'none';/);
  });

  it("shows calls to the address that it was asked at, and escapes nothing into them", () => {
    const { body } = get("/", "GET", { host: "mesh.example:80" });
    expect(body).toContain("http://mesh.example:80/devicemesh.v1.QueryService/GetAggregates");
    expect(body).toContain("127.0.0.1:1 devicemesh.v1.IngestService/PublishReadingBatch");
    expect(get("/", "GET", { host: "$(reboot)" }).body).toContain("http://127.0.0.1:2/devicemesh");
  });

  it("behind a front door shows all calls to that, and over TLS what they need there", () => {
    const front = get("/", "GET", { host: "mesh.example", "x-forwarded-proto": "http" }).body;
    for (const service of ["Ingest", "Generator", "Query"]) {
      expect(front).toContain(`mesh.example devicemesh.v1.${service}Service/`);
    }
    const secure = get("/", "GET", { host: "mesh.example:8443", "x-forwarded-proto": "https" }).body;
    expect(secure).toContain("https://mesh.example:8443/devicemesh");
    expect(secure).toMatch(/-cert certs\/device.* mesh\.example:8444 devicemesh\.v1\.IngestService/);
    expect(secure).toContain("user-operator.jwt");
    expect(secure).not.toContain("-plaintext");
  });

  it("is at / only, and can only be read", () => {
    expect(get("/else").status).toBe(404);
    expect(get("/", "POST").status).toBe(405);
  });
});
