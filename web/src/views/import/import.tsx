import { useRef, useState } from "preact/hooks";
import { selectionHref } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { FileDrop } from "./file-drop.tsx";
import { InspectionTable } from "./inspection-table.tsx";
import { Questions } from "./questions.tsx";
import { Summary } from "./summary.tsx";
import { type Parameters, type UploadAnswer, upload } from "./upload.ts";

type Step = "idle" | "inspecting" | "inspected" | "loading" | "loaded";

/** Loads a recording: what was recognised, what is open as choices, and the summary. */
export function Import() {
  const [file, setFile] = useState<File | undefined>(undefined);
  const [step, setStep] = useState<Step>("idle");
  const [answer, setAnswer] = useState<UploadAnswer>({ problems: [] });
  const [parameters, setParameters] = useState<Parameters>({});
  const [sent, setSent] = useState(0);
  const ending = useRef<AbortController>(undefined);
  const texts = strings.import;

  async function run(chosen: File, stated: Parameters, isDryRun: boolean): Promise<void> {
    ending.current?.abort();
    ending.current = new AbortController();
    const { signal } = ending.current;
    setStep(isDryRun ? "inspecting" : "loading");
    setSent(0);
    try {
      const found = await upload(chosen, stated, { isDryRun, signal, onSent: setSent });
      if (signal.aborted) return;
      setAnswer(found);
      setStep(!isDryRun && found.report ? "loaded" : "inspected");
    } catch {
      if (signal.aborted) return;
      setAnswer({ problems: [strings.problems.unavailable] });
      setStep("inspected");
    }
  }
  const choose = (chosen: File): void => {
    setFile(chosen);
    setAnswer({ problems: [] });
    setParameters({});
    void run(chosen, {}, true);
  };
  const isBusy = step === "inspecting" || step === "loading";
  const isReady = step === "inspected" && answer.report !== undefined && answer.problems.length === 0;
  const devices = [...new Set(answer.inspection?.examples.map(({ device_id }) => device_id))];
  return (
    <>
      <div>
        <h1>{texts.title}</h1>
        <p class="quiet">{texts.hint}</p>
      </div>
      <FileDrop onFile={choose} />
      <p role="status" class="quiet">
        {isBusy && file && (step === "inspecting" ? texts.inspecting(file.name) : texts.loading(file.name))}
      </p>
      {isBusy && <progress value={sent} aria-label={texts.sent} />}
      {answer.problems.length > 0 && (
        <div class="problem" role="alert">
          {answer.problems.map((problem) => (
            <p key={problem}>{problem}</p>
          ))}
        </div>
      )}
      {file && (answer.inspection?.questions.length || Object.keys(parameters).length > 0) ? (
        <Questions
          questions={answer.inspection?.questions ?? []}
          parameters={parameters}
          onChange={setParameters}
          onSubmit={() => void run(file, parameters, true)}
        />
      ) : null}
      {answer.inspection && <InspectionTable inspection={answer.inspection} />}
      {answer.report && <Summary report={answer.report} />}
      {file && isReady && (
        <p>
          <button type="button" class="primary" onClick={() => void run(file, parameters, false)}>
            {texts.load(file.name)}
          </button>
        </p>
      )}
      {step === "loaded" && (
        <p>
          <a class="button primary" href={selectionHref("explore", { devices, timeframe: { kind: "all" } })}>
            {texts.explore}
          </a>
        </p>
      )}
    </>
  );
}
