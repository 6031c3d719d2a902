import type { Admin, Kafka } from "kafkajs";
import { expect, it } from "vitest";
import { createAdminAccess } from "./kafka-admin.ts";

/** A client whose requests wait until its connection is closed, like kafkajs when it loses its metadata. */
function openClients() {
  let opened = 0;
  const access = createAdminAccess(() => {
    const closed = Promise.withResolvers<never>();
    closed.promise.catch(() => {});
    const number = ++opened;
    const admin = {
      connect: async () => {},
      disconnect: async () => closed.reject(new Error("Topic metadata not loaded")),
      listTopics: () => (number === 1 ? closed.promise : Promise.resolve([`of client ${number}`])),
    } as unknown as Admin;
    return { admin: () => admin } as unknown as Kafka;
  });
  return { access, opened: () => opened };
}

const listTopics = (admin: Admin) => admin.listTopics();

it("a request that fails because another one failed is retried over the next connection", async () => {
  const { access, opened } = openClients();
  const waiting = access.use(listTopics);
  await expect(access.use(() => Promise.reject(new Error("no such group")))).rejects.toThrow("no such group");
  expect(await waiting).toEqual(["of client 2"]);
  expect(opened()).toBe(2);
});

it("a request that fails because another one was cancelled is retried over the next connection", async () => {
  const { access } = openClients();
  const waiting = access.use(listTopics);
  const stopping = new AbortController();
  const cancelled = access.use(listTopics, stopping.signal);
  stopping.abort(new Error("too slow"));
  await expect(cancelled).rejects.toThrow("too slow");
  expect(await waiting).toEqual(["of client 2"]);
});

it("no request is retried once the access is closed, or if it failed by itself", async () => {
  const { access, opened } = openClients();
  await expect(access.use(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(opened()).toBe(1);
  const { access: closing, opened: openedThere } = openClients();
  const waiting = closing.use(listTopics);
  waiting.catch(() => {});
  // The client has connected and sent its request.
  await new Promise(setImmediate);
  await closing[Symbol.asyncDispose]();
  await expect(waiting).rejects.toThrow("Topic metadata not loaded");
  expect(openedThere()).toBe(1);
});
