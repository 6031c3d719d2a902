import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes } from "../../format/numbers.ts";
import { commandFor, type Language, languages } from "../../mesh/commands.ts";
import { problemText } from "../../mesh/problem.ts";
import { route, setParams } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";
import { Copyable } from "../../ui/copyable.tsx";
import { type Answer, callMethod } from "./call.ts";
import { methodName, methods, services } from "./methods.ts";
import { RequestForm } from "./request-form.tsx";

/** Every RPC that a page can call: a form, the JSON, the answer and the equivalent command. */
export function Api() {
  const { params } = route.value;
  const method = methods.find((each) => methodName(each) === params.get("rpc")) ?? methods[0];
  const json = params.get("request") ?? "{}";
  const { api } = strings;
  if (!method) return null;
  return (
    <>
      <div>
        <h1>{api.title}</h1>
        <p class="quiet">{api.hint}</p>
      </div>
      <label class="field">
        <span>{api.method}</span>
        <select
          value={methodName(method)}
          onChange={(event) => setParams({ rpc: event.currentTarget.value, request: "" })}
        >
          {services.map((service) => (
            <optgroup key={service.name} label={service.name}>
              {methods
                .filter(({ parent }) => parent === service)
                .map((each) => (
                  <option key={each.name} value={methodName(each)}>
                    {each.name}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      <Call key={methodName(method)} method={method} json={json} />
    </>
  );
}

type Parsed = Readonly<Record<string, unknown>>;

/** The request as an object; undefined if the text is none. */
function parsed(json: string): Parsed | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Parsed)
      : undefined;
  } catch {
    return undefined;
  }
}

function Call({ method, json }: { readonly method: DescMethod; readonly json: string }) {
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [isRunning, setRunning] = useState(false);
  const [language, setLanguage] = useState<Language>("curl");
  const ending = useRef<AbortController>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const request = parsed(json);
  const change = (text: string): void => setParams({ request: text === "{}" ? "" : text }, { replace: true });
  const send = async (): Promise<void> => {
    if (!request) return;
    ending.current?.abort();
    ending.current = new AbortController();
    const { signal } = ending.current;
    setProblem(undefined);
    setAnswer(undefined);
    setRunning(true);
    try {
      for await (const each of callMethod(method, request as Parameters<typeof callMethod>[1], signal))
        setAnswer(each);
    } catch (error) {
      if (!signal.aborted)
        setProblem(
          error instanceof ConnectError || error instanceof TypeError
            ? problemText(ConnectError.from(error))
            : String(error),
        );
    }
    if (ending.current?.signal === signal) setRunning(false);
  };
  const { api } = strings;
  const isStream = method.methodKind === "server_streaming";
  const call = { service: method.parent.name, method: method.name, request: request ?? {}, isStream };
  return (
    <div class="api">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h2>{api.form}</h2>
        <RequestForm
          method={method}
          request={request ?? {}}
          onChange={(next) => change(JSON.stringify(next))}
        />
        <label class="field">
          <span>{api.json}</span>
          <textarea
            spellcheck={false}
            value={json}
            aria-invalid={request === undefined}
            onInput={(event) => change(event.currentTarget.value)}
          />
        </label>
        {request === undefined && (
          <p class="problem" role="alert">
            {api.jsonProblem}
          </p>
        )}
        <p class="pager">
          <button type="submit" class="primary" disabled={request === undefined}>
            {api.send}
          </button>
          <button type="button" disabled={!isRunning} onClick={() => ending.current?.abort()}>
            {api.stop}
          </button>
        </p>
      </form>
      <div class="stack">
        <section class="card" aria-labelledby="answer">
          <h2 id="answer">{api.answer}</h2>
          {problem && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
          {answer ? (
            <>
              <p class="quiet" role="status">
                {api.took(answer.tookMs, formatBytes(answer.json.length))}
                {isStream && `. ${api.messages(answer.messages)}`}
              </p>
              <Copyable text={answer.json} label={api.answer} />
            </>
          ) : (
            <p class="quiet">{isRunning ? strings.loading : api.answerNone}</p>
          )}
        </section>
        <section class="card" aria-labelledby="command">
          <h2 id="command">{api.command}</h2>
          <Choice
            label={api.command}
            options={languages.map((name) => ({ name, text: name }))}
            chosen={language}
            onChoose={setLanguage}
          />
          <Copyable text={commandFor(language, call)} label={api.command} />
        </section>
      </div>
    </div>
  );
}
