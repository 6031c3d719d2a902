import { describe, expect, it, vi } from "vitest";

// The imported module reads the page's address.
vi.stubGlobal("location", { origin: "http://127.0.0.1" });
const { answerOf, uploadQuery } = await import("./upload.ts");

describe("uploads", () => {
  it("send the given parameters, each value of a list separately", () => {
    const query = uploadQuery(
      "a b.csv",
      { zone: "Europe/Berlin", map: "t=temperature\n\nh=humidity", device: "" },
      true,
    );
    expect(query).toBe("name=a+b.csv&dry_run=true&zone=Europe%2FBerlin&map=t%3Dtemperature&map=h%3Dhumidity");
  });

  it("return the open questions, and the message of an error that is not from the import", () => {
    const open = answerOf(422, JSON.stringify({ problems: ["state --zone"], look: { questions: [] } }));
    expect(open).toMatchObject({ problems: ["state --zone"], inspection: { questions: [] } });
    expect(answerOf(403, '{"code":"permission_denied","message":"no"}').problems).toEqual(["no"]);
    expect(answerOf(502, "<html>").problems).toEqual(["HTTP 502"]);
    expect(answerOf(200, '{"report":{"stored":1}}')).toEqual({
      inspection: undefined,
      report: { stored: 1 },
      problems: [],
    });
  });
});
