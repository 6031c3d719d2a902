import { describe, expect, it } from "vitest";
import { isAcceptedLicense, unacceptedLicenses } from "./licenses.ts";

describe("the licences of dependencies", () => {
  it.each(["MIT", "(Apache-2.0 AND BSD-3-Clause)", "GPL-3.0 OR MIT"])("may be %s", (expression) => {
    expect(isAcceptedLicense(expression)).toBe(true);
  });

  it.each(["GPL-3.0", "AGPL-3.0-only", "MIT AND GPL-2.0", "SEE LICENSE IN LICENSE.md"])(
    "may not be %s",
    (expression) => {
      expect(isAcceptedLicense(expression)).toBe(false);
    },
  );

  it("are listed if they are missing or not accepted, except for workspaces", () => {
    const packages = {
      "": {},
      kit: {},
      "node_modules/@devicemesh/kit": { link: true },
      "node_modules/good": { license: "ISC" },
      "node_modules/bad": { license: "SSPL-1.0" },
      "node_modules/a/node_modules/silent": {},
    };
    expect(unacceptedLicenses(packages)).toEqual(["bad: SSPL-1.0", "a/node_modules/silent: no licence"]);
  });
});
