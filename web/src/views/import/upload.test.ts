import { describe, expect, it, vi } from "vitest";

// The module that it imports reads the page's address.
vi.stubGlobal("location", { origin: "http://127.0.0.1" });
const { answerOf, uploadQuery } = await import("./upload.ts");

describe("uploads", () => {
  it("carry the parameters that are stated, each value of a list by itself", () => {
    const query = uploadQuery(
      "a b.csv",
      { zone: "Europe/Berlin", map: "t=temperature\n\nh=humidity", device: "" },
      true,
    );
    expect(query).toBe("name=a+b.csv&dry_run=true&zone=Europe%2FBerlin&map=t%3Dtemperature&map=h%3Dhumidity");
  });

  it("tell what is open, and of an error that is not the import's what it says", () => {
    const open = answerOf(422, JSON.stringify({ problems: ["state --zone"], look: { questions: [] } }));
    expect(open).toMatchObject({ problems: ["state --zone"], look: { questions: [] } });
    expect(answerOf(403, '{"code":"permission_denied","message":"no"}').problems).toEqual(["no"]);
    expect(answerOf(502, "<html>").problems).toEqual(["HTTP 502"]);
    expect(answerOf(200, '{"report":{"stored":1}}')).toEqual({
      look: undefined,
      report: { stored: 1 },
      problems: [],
    });
  });
});
