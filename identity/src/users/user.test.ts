import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDenyList, parseDenyList } from "../deny-list/deny-list.ts";
import { userOf } from "./user.ts";

const claims = (jti: unknown) => ({ sub: "ada", exp: 2_000_000_000, jti });

describe("the claims of a token", () => {
  it.each(["", " ", "#stolen", "a b", "a\nb", "a\u00a0b", "\ttab", undefined, 7])(
    "are rejected with the id %j, which no deny list could revoke",
    (jti) => {
      expect(() => userOf(claims(jti))).toThrow(/\(jti\)/);
    },
  );

  it("are accepted only with an id that a deny list can contain", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-composite", maxLength: 20 }), (jti) => {
        let isAccepted = true;
        try {
          userOf(claims(jti));
        } catch {
          isAccepted = false;
        }
        const { entries, problems } = parseDenyList(`token before\ntoken ${jti}\n`);
        const isRevoked = problems.length === 0 && createDenyList(() => entries).has("token", jti);
        if (isAccepted) expect(isRevoked).toBe(true);
      }),
    );
  });
});
