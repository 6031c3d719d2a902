import { expect, it } from "vitest";
import { watchCallerOf } from "./watch-caller.ts";

it("names the network of a remote client, whatever headers it sends", () => {
  expect(watchCallerOf("10.1.2.3:4000", null)).toBe("the address 10.1.2.3");
  expect(watchCallerOf("::ffff:10.1.2.3:4000", "8.8.8.8")).toBe("the address 10.1.2.3");
  expect(watchCallerOf("2001:db8::1:2:3:4000", null)).toBe("the address 2001:db8:0:0::/64");
});

it("names the connection of a client on this machine", () => {
  expect(watchCallerOf("127.0.0.1:4000", null)).toBe("the connection 127.0.0.1:4000");
  expect(watchCallerOf("::1:4001", "")).toBe("the connection ::1:4001");
});

it("names the client of a proxy on this machine by the entry that the proxy has added", () => {
  expect(watchCallerOf("127.0.0.1:4000", "1.1.1.1, 10.1.2.3")).toBe("the address 10.1.2.3");
  expect(watchCallerOf("127.0.0.1:4000", "127.0.0.1")).toBeUndefined();
});
