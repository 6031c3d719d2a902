import { strings } from "../strings.ts";

/** The head of a table of readings. */
export function ReadingsHead() {
  const { columns } = strings.readings;
  return (
    <thead>
      <tr>
        <th scope="col">{columns.time}</th>
        <th scope="col">{columns.device}</th>
        <th scope="col">{columns.sensor}</th>
        <th scope="col" class="number">
          {columns.value}
        </th>
      </tr>
    </thead>
  );
}
