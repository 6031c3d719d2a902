import { Code, ConnectError } from "@connectrpc/connect";
import type { GeneratorStatus } from "@devicemesh/proto/es/devicemesh/v1/generator_pb.ts";
import { useEffect, useState } from "preact/hooks";
import { formatCount, formatRate } from "../../format/numbers.ts";
import { generator } from "../../mesh/clients.ts";
import { usePolled } from "../../mesh/use-polled.ts";
import { strings } from "../../strings.ts";
import { Problem } from "../../ui/problem.tsx";
import { formOf, type SimulatorForm, startRequest } from "./form.ts";
import { Proof } from "./proof.tsx";
import { Settings } from "./settings.tsx";

const pollMs = 1000;

/** Starts and stops simulated devices, shows what they sent, and proves that answers stay exact. */
export function Simulator() {
  const [asked, setAsked] = useState(0);
  const { answer, problem } = usePolled(`generator ${asked}`, pollMs, async (signal) => {
    const { status } = await generator.getGeneratorStatus({}, { signal });
    return status;
  });
  const [form, setForm] = useState<SimulatorForm | undefined>(undefined);
  const [failure, setFailure] = useState<ConnectError | undefined>(undefined);
  // What runs is shown until the user types.
  useEffect(() => {
    if (answer && !form) setForm(formOf(answer));
  }, [answer]);
  const run = async (action: () => Promise<unknown>): Promise<void> => {
    setFailure(undefined);
    try {
      await action();
    } catch (error) {
      setFailure(ConnectError.from(error));
    }
    setAsked((count) => count + 1);
  };
  const { simulator } = strings;
  if (problem?.code === Code.Unimplemented) return <p class="notice">{simulator.unavailable}</p>;
  if (!answer || !form)
    return (
      <>
        <Problem problem={problem} />
        <p class="quiet">{strings.loading}</p>
      </>
    );
  const start = async (): Promise<void> => {
    if (answer.running) await generator.stopGenerator({});
    await generator.startGenerator(startRequest(form));
  };
  return (
    <>
      <div>
        <h1>{simulator.title}</h1>
        <p class="quiet">{simulator.hint}</p>
      </div>
      <Problem problem={failure ?? problem} />
      <div class="two">
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            void run(start);
          }}
        >
          <p class="simulator-state" data-state={answer.running ? "online" : "stopped"} role="status">
            <span class="lamp" aria-hidden="true" />{" "}
            <strong>{answer.running ? simulator.running(answer.deviceCount) : simulator.notRunning}</strong>
          </p>
          <Settings form={form} onChange={setForm} />
          <p class="pager">
            <button type="submit" class="primary">
              {answer.running ? simulator.restart : simulator.start}
            </button>
            <button
              type="button"
              disabled={!answer.running}
              onClick={() => void run(() => generator.stopGenerator({}))}
            >
              {simulator.stop}
            </button>
          </p>
        </form>
        <div class="stack">
          <Counts status={answer} />
          <Proof />
        </div>
      </div>
    </>
  );
}

function Counts({ status }: { readonly status: GeneratorStatus }) {
  const { simulator } = strings;
  const counts: readonly (readonly [string, string])[] = [
    [simulator.rate, formatRate(status.ackedPerSecond)],
    [simulator.sent, formatCount(status.sent)],
    [simulator.acked, formatCount(status.acked)],
    [simulator.refused, formatCount(status.refused)],
    [simulator.outbox, formatCount(status.outbox)],
    ...(status.dropped > 0n ? [[simulator.dropped, formatCount(status.dropped)] as const] : []),
  ];
  return (
    <section class="card">
      <dl class="counts">
        {counts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {status.lastError !== "" && (
        <p class="notice">
          {simulator.lastError}: {status.lastError}
        </p>
      )}
    </section>
  );
}
