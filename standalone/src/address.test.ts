import { expect, it } from "vitest";
import { localAddressOf } from "./address.ts";

it("puts an IPv6 address in brackets", () => {
  expect([localAddressOf("127.0.0.1", 80), localAddressOf("::1", 80)]).toEqual(["127.0.0.1:80", "[::1]:80"]);
});

it("uses loopback for a server that listens on all addresses", () => {
  expect([localAddressOf("0.0.0.0", 80), localAddressOf("::", 80), localAddressOf("host", 80)]).toEqual([
    "127.0.0.1:80",
    "[::1]:80",
    "host:80",
  ]);
});
