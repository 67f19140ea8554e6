/** The report as one HTML page that loads nothing and runs nothing. */
import { composeDetails } from './details.ts';
import { code, commas, type Html, html } from './html.ts';
import type { Report } from './model.ts';
import { composePicture } from './picture.ts';
import { STYLE } from './style.ts';
import { composeTable } from './table.ts';
import { countStates, plural } from './text.ts';

/** Nothing in the page can run or load anything, even if a text were not escaped. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * Composes the page. The same facts give the same bytes.
 *
 * @param date that the page states; undefined: none
 */
export function composePage(report: Report, date?: string): string {
  const { core, made, gate, shared, features, blocked } = report;
  const title = `${core.name} ${core.version ?? ''}`.trim();
  const sections: [id: string, name: string, body: Html][] = [
    ['picture', 'Picture', composePicture(report)],
    [
      'features',
      'Features',
      features.length === 0
        ? html`<p>The application declares no feature.</p>`
        : html`${features.map((one, index) => composeDetails(one, index, report))}`,
    ],
    ['shared', 'Shared by core', composeShared(report)],
    ['blocked', 'Blocked versions', composeBlocked(report)],
  ];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ html: POLICY }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} and its annex</title>
<link rel="icon" href="data:,">
<style>${{ html: STYLE }}</style>
</head>
<body>
<a class="skip" href="#features">Skip to the features</a>
<header>
<h1>${title} <small>and its annex</small></h1>
<p class="counts">${countStates(features)}</p>
<p>${plural(countOwn(report), 'package')} of features, ${plural(shared.length, 'package')} shared by core, ${plural(blocked.length, 'blocked item')}. ${gate === undefined ? 'Installs are allowed.' : html`No install may start: ${gate}.`}</p>
</header>
<nav aria-label="Sections"><ul>${sections.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${sections.map(
  ([id, name, body]) => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${name}</h2>
${body}
</section>
`,
)}</main>
<footer><p>Made by annex ${made.annex} for Node ${made.node} on ${made.platform}${date === undefined ? '' : ` at ${date}`}.</p></footer>
</body>
</html>`.html;
}

const countOwn = ({ features }: Report): number =>
  features.reduce((sum, { closure }) => sum + closure.length, 0);

const composeShared = ({ shared }: Report): Html =>
  shared.length === 0
    ? html`<p>Core ships no package that a feature uses.</p>`
    : composeTable(
        'shared-table',
        'Packages of core that features use',
        ['Package', 'Version', 'Features'],
        shared.map(({ name, version, features }) => [
          code(name),
          version,
          commas(features.map(code)),
        ]),
      );

const composeBlocked = ({ blocked }: Report): Html =>
  blocked.length === 0
    ? html`<p>No version is blocked.</p>`
    : composeTable(
        'blocked-table',
        'Blocked versions',
        ['Item', 'By', 'Reason'],
        blocked.map(({ spec, by, reason }) => [code(spec), by, reason]),
      );
