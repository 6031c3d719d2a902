// Many watches over gRPC, in a separate process. Messages are counted, not decoded, so that the watchers use little of
// the machine that the server runs on.
import { type ClientHttp2Session, connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import type { WatchersAnswer, WatchersRequest, WatchersSample, WatchersSettings } from "./watchers.ts";

/** Number of streams of one connection; servers allow 100 by default. */
const streamsPerConnection = 100;
const path = "/devicemesh.v1.QueryService/WatchAggregates";

/** A watcher: the arrival times of its messages, in ms of `performance.now()`. */
type Watcher = { messages: number; lastAtMs: number; longestGapMs: number };

const watchers: Watcher[] = [];
const sessions: ClientHttp2Session[] = [];
let failure: Error | undefined;

function openOne(session: ClientHttp2Session, question: Buffer): Promise<number> {
  const beginMs = performance.now();
  const first = Promise.withResolvers<number>();
  const watcher: Watcher = { messages: 0, lastAtMs: beginMs, longestGapMs: 0 };
  watchers.push(watcher);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const counter = createMessageCounter(() => {
    const nowMs = performance.now();
    watcher.longestGapMs = Math.max(watcher.longestGapMs, nowMs - watcher.lastAtMs);
    watcher.lastAtMs = nowMs;
    watcher.messages++;
    first.resolve(nowMs - beginMs);
  });
  let reported = "";
  stream.on("response", (headers) => (reported = `${headers["grpc-message"] ?? ""}`));
  stream.on("trailers", (headers) => (reported = `${headers["grpc-message"] ?? ""}`));
  stream.on("data", counter);
  const fail = (error?: Error) => {
    failure ??= new Error(`a watch ended: ${reported || error?.message || "without a word"}`);
    first.reject(failure);
  };
  stream.on("error", fail);
  stream.on("close", () => fail());
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(question.length, 1);
  stream.end(Buffer.concat([prefix, question]));
  return first.promise;
}

/** Calls back for each message of a gRPC stream: each has a prefix of five bytes with the length. */
function createMessageCounter(onMessage: () => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      rest = rest.subarray(5 + rest.readUInt32BE(1));
      onMessage();
    }
  };
}

async function open({ port, watchers: count, questions }: WatchersSettings): Promise<readonly number[]> {
  const requests = questions.map((question) => Buffer.from(question, "base64"));
  const firsts: Promise<number>[] = [];
  for (let place = 0; place < count; place++) {
    if (place % streamsPerConnection === 0) sessions.push(connect(`http://127.0.0.1:${port}`));
    firsts.push(openOne(sessions.at(-1)!, requests[place % requests.length]!));
  }
  return Promise.all(firsts);
}

async function sample(ms: number): Promise<WatchersSample> {
  const beginMs = performance.now();
  for (const watcher of watchers) Object.assign(watcher, { messages: 0, lastAtMs: beginMs, longestGapMs: 0 });
  await delay(ms);
  if (failure) throw failure;
  const endMs = performance.now();
  return {
    messages: watchers.map(({ messages }) => messages),
    longestGapsMs: watchers.map(({ longestGapMs, lastAtMs }) => Math.max(longestGapMs, endMs - lastAtMs)),
  };
}

async function answer(request: WatchersRequest): Promise<WatchersAnswer> {
  if (request.kind === "open") return { kind: "opened", firstMs: await open(request.settings) };
  return { kind: "sampled", sample: await sample(request.ms) };
}

process.on("message", (request: WatchersRequest) => {
  answer(request)
    .catch((error: unknown): WatchersAnswer => ({ kind: "failed", text: String(error) }))
    .then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit());
