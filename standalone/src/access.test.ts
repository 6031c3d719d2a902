import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { describe, expect, it } from "vitest";
import { openAccess } from "./access.ts";
import { embeddedSettings } from "./settings.ts";

function open(...args: readonly string[]) {
  const loaded = loadSettings(embeddedSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  return openAccess(loaded.values, { logger: silentLogger(), clock: Date.now });
}

const certificates = ["--device-ca", "ca.pem", "--server-cert", "server.pem", "--server-key", "key.pem"];

describe("the access of npm start", () => {
  it("requires nothing on this machine", () => {
    using access = open();
    expect(access.users).toMatchObject({ gate: undefined, tls: undefined });
    expect(access.devices).toMatchObject({ identityOf: undefined, tls: undefined });
    expect(access.generatorTls).toBeUndefined();
  });

  it.each([
    [["--host", "0.0.0.0"], "--jwks and --device-ca"],
    [["--host", "::", "--jwks", "a", "--server-cert", "b", "--server-key", "c"], "set --device-ca"],
    [certificates, "--generator-cert and --generator-key, or --no-generator"],
    [["--trust-forwarded-identity"], "--no-generator"],
    [["--trust-forwarded-identity", "--no-generator", "--replay", "file.csv"], "--no-generator"],
    [[...certificates, "--no-generator"], "--server-cert: "],
  ])("reports what is missing: %j", (args, text) => {
    expect(() => open(...args)).toThrow(SettingsError);
    expect(() => open(...args)).toThrow(text);
  });

  it("trusts Envoy if the generator is off", () => {
    using access = open("--trust-forwarded-identity", "--no-generator", "--host", "0.0.0.0");
    expect(access.users.gate).toBeDefined();
    expect(access.devices.identityOf).toBeDefined();
  });
});
