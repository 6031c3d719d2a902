import { describe, expect, it } from "vitest";
import { createPage } from "./page.ts";

const facts = {
  ingest: "127.0.0.1:1",
  query: "127.0.0.1:2",
  generator: "127.0.0.1:3",
  data: 'a <b> & "c"',
  dataKind: "a folder",
};

function get(url: string, method = "GET") {
  const answer = { status: 0, body: "" };
  createPage(() => facts)({ url, method }, {
    writeHead(status: number) {
      answer.status = status;
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

  it("is at / only, and can only be read", () => {
    expect(get("/else").status).toBe(404);
    expect(get("/", "POST").status).toBe(405);
  });
});
