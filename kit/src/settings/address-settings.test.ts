import { describe, expect, expectTypeOf, it } from "vitest";
import { addressSettings } from "./address-settings.ts";
import { defineSettings, loadSettings, type SettingsOf } from "./define-settings.ts";

describe("addressSettings", () => {
  const definition = defineSettings({
    prefix: "A_",
    settings: addressSettings({
      hostVariable: "A_HOST",
      portVariable: "A_PORT",
      port: 50051,
      hostDescription: "Where.",
    }),
  });

  it("listens on this machine only by default", () => {
    expectTypeOf<SettingsOf<typeof definition>>().toEqualTypeOf<{
      readonly host: string;
      readonly port: number;
    }>();
    expect(loadSettings(definition, { args: [], env: {} })).toMatchObject({
      values: { host: "127.0.0.1", port: 50051 },
    });
    expect(loadSettings(definition, { args: ["--port", "0"], env: { A_HOST: "::" } })).toMatchObject({
      values: { host: "::", port: 0 },
    });
  });

  it("rejects an impossible port", () => {
    const refused = loadSettings(definition, { args: [], env: { A_PORT: "65536" } });
    expect(refused).toMatchObject({ kind: "problems", text: expect.stringContaining("more than 65535") });
  });
});
