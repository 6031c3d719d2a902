import { setTimeout as delay } from "node:timers/promises";
import type { DescService } from "@bufbuild/protobuf";
import { create, type Message } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type {
  ErrorMessage,
  HeaderMessage,
  ResponseDefinition,
  StreamDefinition,
  SuiteProtos,
  SuiteRequest,
  UnaryDefinition,
} from "./messages.ts";
import { reportedTimeoutMs } from "./reported-timeout.ts";

/** The service under test, as described in the suite's service.proto: it sends the requested responses. */
export function createSuiteService({ registry, message }: SuiteProtos): ServiceImpl<DescService> {
  const payloadType = message("ConformancePayload");
  const requestInfoType = message("ConformancePayload.RequestInfo");

  function pack(request: Message): Any {
    const type = registry.getMessage(request.$typeName);
    if (!type) throw new Error(`${request.$typeName} is not in the suite`);
    return anyPack(type, request);
  }

  function requestInfo(context: HandlerContext, requests: readonly Message[]): Message {
    const timeoutMs = reportedTimeoutMs(context.requestHeader);
    return create(requestInfoType, {
      requestHeaders: headersOf(context.requestHeader),
      ...(timeoutMs !== undefined && { timeoutMs: BigInt(Math.round(timeoutMs)) }),
      requests: requests.map(pack),
      ...(context.requestMethod === "GET" && {
        connectGetInfo: { queryParams: headersOf(new URL(context.url).searchParams) },
      }),
    } as never);
  }

  function answer(data: Uint8Array | undefined, info: Message | undefined) {
    const payload = create(payloadType, {
      ...(data && { data }),
      ...(info && { requestInfo: info }),
    } as never);
    return { payload };
  }

  /** The requested error, with these details besides its own. */
  function asError(
    { code, message: text = "", details }: ErrorMessage,
    more: readonly Message[],
  ): ConnectError {
    const own = details.map((detail) => anyUnpack(detail, registry)).filter((value) => value !== undefined);
    const outgoing = [...own, ...more].map((value) => {
      const desc = registry.getMessage(value.$typeName);
      if (!desc) throw new Error(`${value.$typeName} is not in the suite`);
      return { desc, value };
    });
    return new ConnectError(text, code as Code, undefined, outgoing as never);
  }

  async function answerOnce(
    definition: UnaryDefinition | undefined,
    requests: readonly Message[],
    context: HandlerContext,
  ) {
    const info = requestInfo(context, requests);
    if (definition === undefined) return answer(undefined, info);
    setHeaders(definition, context);
    await delay(definition.responseDelayMs);
    const { response } = definition;
    if (response.case === "error") throw asError(response.value, [info]);
    return answer(response.case === "responseData" ? response.value : undefined, info);
  }

  async function* answerAll(
    definition: StreamDefinition | undefined,
    requests: readonly Message[],
    context: HandlerContext,
  ) {
    if (definition === undefined) return;
    setHeaders(definition, context);
    yield* answerRest(definition, 0, requests, context);
  }

  /** Sends the responses from the `first`-th on, then the error; the first of all describes the request. */
  async function* answerRest(
    definition: StreamDefinition,
    first: number,
    requests: readonly Message[],
    context: HandlerContext,
  ) {
    for (const [index, data] of definition.responseData.entries()) {
      if (index < first) continue;
      await delay(definition.responseDelayMs);
      yield answer(data, index === 0 ? requestInfo(context, requests) : undefined);
    }
    if (definition.error) {
      const untold = definition.responseData.length === 0;
      throw asError(definition.error, untold ? [requestInfo(context, requests)] : []);
    }
  }

  /** Answers each request as it arrives; the remaining responses follow after the last. */
  async function* answerAlternately(
    definition: StreamDefinition | undefined,
    requests: AsyncIterator<SuiteRequest<StreamDefinition>>,
    firstRequest: Message,
    context: HandlerContext,
  ) {
    if (definition) setHeaders(definition, context);
    let answered = 0;
    let request: Message | undefined = firstRequest;
    while (request !== undefined) {
      const data: Uint8Array | undefined = definition?.responseData[answered];
      if (data === undefined) break;
      await delay(definition?.responseDelayMs ?? 0);
      const info =
        answered === 0
          ? requestInfo(context, [request])
          : create(requestInfoType, { requests: [pack(request)] } as never);
      yield answer(data, info);
      answered++;
      const next: IteratorResult<SuiteRequest<StreamDefinition>> = await requests.next();
      request = next.done ? undefined : next.value;
    }
    if (definition) yield* answerRest(definition, answered, request ? [request] : [], context);
  }

  type Unary = SuiteRequest<UnaryDefinition>;
  type Stream = SuiteRequest<StreamDefinition>;
  const service = {
    unary: (request: Unary, context: HandlerContext) =>
      answerOnce(request.responseDefinition, [request], context),
    idempotentUnary: (request: Unary, context: HandlerContext) =>
      answerOnce(request.responseDefinition, [request], context),
    async clientStream(requests: AsyncIterable<Unary>, context: HandlerContext) {
      const all: Unary[] = [];
      for await (const request of requests) all.push(request);
      return await answerOnce(all[0]?.responseDefinition, all, context);
    },
    serverStream: (request: Stream, context: HandlerContext) =>
      answerAll(request.responseDefinition, [request], context),
    async *bidiStream(requests: AsyncIterable<Stream>, context: HandlerContext) {
      const iterator = requests[Symbol.asyncIterator]();
      const { done, value: first } = await iterator.next();
      if (done) return;
      if (first.fullDuplex) {
        yield* answerAlternately(first.responseDefinition, iterator, first, context);
        return;
      }
      const all: Stream[] = [first];
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) all.push(next.value);
      yield* answerAll(first.responseDefinition, all, context);
    },
  };
  return service as unknown as ServiceImpl<DescService>;
}

function setHeaders(definition: ResponseDefinition, context: HandlerContext): void {
  append(definition.responseHeaders, context.responseHeader);
  append(definition.responseTrailers, context.responseTrailer);
}

function append(headers: readonly HeaderMessage[], to: Headers): void {
  for (const { name, value } of headers) {
    for (const each of value) to.append(name, each);
  }
}

function headersOf(pairs: Iterable<[string, string]>): HeaderMessage[] {
  return Array.from(pairs, ([name, value]) => ({ name, value: [value] }));
}
