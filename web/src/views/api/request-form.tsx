import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { strings } from "../../strings.ts";
import { inputOf, jsonOf, typedOf } from "./methods.ts";

type Request = Readonly<Record<string, unknown>>;

/** The fields of a request. A change gives the whole request again, in which the last member of a oneof wins. */
export function RequestForm({
  method,
  request,
  onChange,
}: {
  readonly method: DescMethod;
  readonly request: Request;
  readonly onChange: (request: Request) => void;
}) {
  const change = (field: DescField, typed: string): void => {
    const siblings = field.oneof?.fields.map(({ jsonName }) => jsonName) ?? [];
    const kept = Object.entries(request).filter(
      ([name]) => name !== field.jsonName && !siblings.includes(name),
    );
    const value = jsonOf(field, typed);
    onChange(Object.fromEntries(value === undefined ? kept : [...kept, [field.jsonName, value]]));
  };
  return (
    <div class="grid-fields">
      {method.input.fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          typed={typedOf(request[field.jsonName] ?? request[field.name])}
          onChange={(typed) => change(field, typed)}
        />
      ))}
    </div>
  );
}

function Field({
  field,
  typed,
  onChange,
}: {
  readonly field: DescField;
  readonly typed: string;
  readonly onChange: (typed: string) => void;
}) {
  const input = inputOf(field);
  const { api } = strings;
  if (input.kind === "flag" || input.kind === "choice") {
    const values = input.kind === "flag" ? ["true"] : input.values;
    return (
      <label class="field">
        <span>{field.name}</span>
        <select value={typed} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">{api.unset}</option>
          {values.map((value) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
        </select>
      </label>
    );
  }
  const hints = {
    list: api.listHint,
    json: api.objectHint,
    timestamp: api.timestampHint,
    duration: api.durationHint,
    text: "",
  };
  return (
    <label class="field">
      <span>{field.name}</span>
      <input
        type="text"
        inputMode={input.kind === "number" ? "decimal" : "text"}
        spellcheck={false}
        placeholder={input.kind === "text" ? hints[input.hint] : ""}
        value={typed}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
