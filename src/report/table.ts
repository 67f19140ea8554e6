/** Tables of a report. */
import { type Html, html, type Value } from './html.ts';

/** A table in a box that scrolls on a narrow screen, also with the keyboard. */
export const composeTable = (
  id: string,
  title: string,
  head: readonly string[],
  rows: readonly (readonly Value[])[],
): Html => html`<div class="scroller" role="group" aria-labelledby="${id}" tabindex="0"><table>
<caption id="${id}">${title}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
  ([
    first,
    ...rest
  ]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table></div>`;
