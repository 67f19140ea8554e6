/** The picture of a report: core, the features beside it, and lines between what they share. */
import { code, type Html, html } from './html.ts';
import type { Report, ReportedFeature, SharedPackage } from './model.ts';
import { ALL_STATES, describeState, formatBytes, plural } from './text.ts';

/** Packages of core that have a row of their own, if there are fewer features. */
const SOCKETS = 24;

/** A row in the box of core: one package, or all that have no row. */
interface Socket {
  name: string;
  version?: string | undefined;
  /** Positions of features. */
  features: number[];
}

/** Each feature is a row on the right, each shared package a row in the box of core; lines are decoration. */
export function composePicture({ core, shared, features }: Report): Html {
  const sockets = listSockets(shared, features);
  const rows = Math.max(sockets.length, features.length, 1);
  const largest = Math.max(1, ...features.map(({ closure }) => closure.length));
  return html`<figure class="picture${rows > 16 ? ' dense' : ''}" style="--rows:${rows}">
<div class="core"><h3>core <small>${core.name} ${core.version}</small></h3>
<ul aria-label="Packages of core that features use">${sockets.map(composeSocket)}</ul></div>
<svg aria-hidden="true" focusable="false" preserveAspectRatio="none" viewBox="0 0 100 ${rows}">${composeLines(sockets, features, rows)}</svg>
<div class="annex"><h3>annex <small>${plural(features.length, 'feature')}</small></h3>
<ol aria-label="Features">${features.map((one, index) => composeFeature(one, index, largest))}</ol></div>
<figcaption>A line joins a feature to each package of core that it uses. ${features.some(({ shared }) => shared.length === 0) ? 'A feature with a dotted line uses none.' : ''}
<span class="legend">${ALL_STATES.filter(({ text }) => isUsed(text, features)).map(
    ({ kind, sign, text }) =>
      html`<span><i class="sign ${kind}" aria-hidden="true">${sign}</i> ${text}</span> `,
  )}<span><i class="bar"><i style="width:100%"></i></i> packages of its own</span></span></figcaption>
</figure>`;
}

const isUsed = (text: string, features: readonly ReportedFeature[]): boolean =>
  features.some((one) => describeState(one).text === text);

/** Sorted by the features that use them, so that few lines cross. */
function listSockets(
  shared: readonly SharedPackage[],
  features: readonly ReportedFeature[],
): Socket[] {
  const places = new Map(features.map(({ feature }, index) => [feature, index]));
  const all = shared.map(({ name, version, features: users }) => ({
    name,
    version,
    features: users.flatMap((user) => places.get(user) ?? []),
  }));
  const room = Math.max(SOCKETS, features.length);
  const frequent = all.toSorted((a, b) => b.features.length - a.features.length);
  const kept = frequent.slice(0, all.length > room ? room - 1 : room);
  const sockets: Socket[] = kept.sort((a, b) => mean(a.features) - mean(b.features));
  const rest = frequent.slice(kept.length).flatMap((one) => one.features);
  if (rest.length === 0) return sockets;
  const name = `${all.length - kept.length} more`;
  return [...sockets, { name, features: [...new Set(rest)] }];
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);

const composeSocket = ({ name, version, features }: Socket): Html =>
  html`<li title="${name} ${version}"><span class="name">${code(name)}</span> <span class="version">${version}</span>
<span class="unseen">used by ${plural(features.length, 'feature')}</span></li>`;

function composeFeature(one: ReportedFeature, index: number, largest: number): Html {
  const { feature, closure, shared, bytes } = one;
  const { kind, sign, text } = describeState(one);
  const share = Math.round((closure.length / largest) * 100);
  const size = bytes === undefined ? '' : formatBytes(bytes);
  return html`<li title="${feature}"><i class="sign ${kind}" aria-hidden="true">${sign}</i>
<a class="name" href="#feature-${index + 1}">${code(feature)}</a> <span class="version">${listVersions(one)}</span>
<span class="state ${kind}">${text}</span>
<span class="own"><i class="bar" aria-hidden="true"><i style="width:${share}%"></i></i>
<span>${closure.length}<span class="unseen"> packages of its own; ${plural(shared.length, 'package')} of core</span></span></span>
<span class="size">${size}</span></li>`;
}

/** The versions in use, or else the locked ones: those of the first package, and how many packages follow. */
function listVersions({ packages }: ReportedFeature): string {
  const versions = Object.values(packages).map(
    ({ version, locked, range }) => version ?? locked ?? range,
  );
  const [first = '', ...rest] = versions;
  return rest.length === 0 ? first : `${first} +${rest.length}`;
}

/** Curves from the middle of the row of a package to the middle of the row of a feature. */
function composeLines(
  sockets: readonly Socket[],
  features: readonly ReportedFeature[],
  rows: number,
): Html[] {
  const height = (index: number, count: number): number => (rows - count) / 2 + index + 0.5;
  const joined = new Set(sockets.flatMap((socket) => socket.features));
  const line = (from: number, to: number, kind: string): Html =>
    html`<path class="${kind}" d="M0 ${from}C50 ${from} 50 ${to} 100 ${to}"/>`;
  const kinds = features.map((one) => describeState(one).kind);
  return [
    ...sockets.flatMap((socket, index) =>
      socket.features.map((user) => {
        const to = height(user, features.length);
        return line(height(index, sockets.length), to, kinds[user] ?? '');
      }),
    ),
    ...kinds.flatMap((kind, index) => {
      const at = height(index, features.length);
      return joined.has(index) ? [] : line(at, at, `${kind} none`);
    }),
  ];
}
