import { strings } from "../../strings.ts";
import type { Inspection, Parameters } from "./upload.ts";

/** What the recording leaves open, a field for each; nothing is guessed. */
export function Questions({
  questions,
  parameters,
  onChange,
  onSubmit,
}: {
  readonly questions: Inspection["questions"];
  readonly parameters: Parameters;
  readonly onChange: (parameters: Parameters) => void;
  readonly onSubmit: () => void;
}) {
  const texts = strings.import;
  const names = [...new Set([...Object.keys(parameters), ...questions.map(({ parameter }) => parameter)])];
  const repeatable = new Set(["unit", "missing", "map"]);
  return (
    <form
      class="card questions"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <h2>{texts.questions}</h2>
      {names.map((name) => {
        const field = {
          name,
          id: `import-${name}`,
          value: parameters[name] ?? "",
          onInput: (event: { readonly currentTarget: { readonly value: string } }) =>
            onChange({ ...parameters, [name]: event.currentTarget.value }),
        };
        return (
          <div key={name} class="field">
            <label for={`import-${name}`}>
              <strong>{name}</strong>{" "}
              {questions
                .filter(({ parameter }) => parameter === name)
                .map(({ text }) => text)
                .join(" ")}
            </label>
            {repeatable.has(name) ? (
              <textarea {...field} rows={3} placeholder={texts.oneALine} />
            ) : (
              <input {...field} />
            )}
          </div>
        );
      })}
      <p>
        <button type="submit">{texts.again}</button>
      </p>
    </form>
  );
}
