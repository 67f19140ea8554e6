/** The style sheet of the page: light, dark, narrow and on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --panel: #f4f6f8; --line: #d0d7de; --ink: #1b1f24; --soft: #57606a; --link: #0550ae;
  --ok: #116329; --open: #7d4e00; --bad: #a40e26;
  --row: 2.5rem;
  font: 100%/1.5 system-ui, sans-serif;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --panel: #161b22; --line: #3d444d; --ink: #e6edf3; --soft: #9da7b3; --link: #79c0ff;
    --ok: #56d364; --open: #e3b341; --bad: #ff8f87;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
body { max-width: 76rem; margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2rem); }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
small { color: var(--soft); font-weight: 400; font-size: .875em; }
p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
a { color: var(--link); }
code { font: .9375em ui-monospace, monospace; unicode-bidi: isolate; }
i { font-style: normal; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
header p { color: var(--soft); }
header .counts { color: var(--ink); font-size: 1.125rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: 1rem; }
nav a { display: inline-block; padding: .25rem 0; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: .5rem; top: .5rem; background: var(--paper); padding: .5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.ok { color: var(--ok); } .open { color: var(--open); } .bad { color: var(--bad); }
.sign { display: inline-block; width: 1.25em; text-align: center; font-weight: 700; }

.picture {
  display: grid; grid-template-columns: minmax(0, 15rem) minmax(3rem, 1fr) minmax(0, 45rem);
  grid-template-rows: auto calc(var(--rows) * var(--row)) .5rem auto;
}
.picture.dense { --row: 1.75rem; font-size: .9375rem; }
.core, .annex { display: grid; grid-row: 1 / 4; grid-template-rows: subgrid; border: 1px solid var(--line); border-radius: 8px; background: var(--panel); min-width: 0; }
.core { grid-column: 1; border-right: 4px solid var(--soft); }
.annex { grid-column: 3; }
.picture svg { grid-column: 2; grid-row: 2; width: 100%; height: 100%; overflow: visible; }
.picture h3 { padding: .625rem .75rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.picture ul, .picture ol { display: grid; grid-auto-rows: var(--row); align-content: center; min-width: 0; }
.picture li { display: flex; align-items: center; gap: .5rem; padding: 0 .75rem; min-width: 0; white-space: nowrap; position: relative; }
.core li { justify-content: flex-end; } .core .version { flex: none; max-width: 5rem; }
.picture .name { overflow: hidden; text-overflow: ellipsis; min-width: 0; }
.picture .name code { overflow-wrap: normal; }
.picture .version { color: var(--soft); font-size: .875em; overflow: hidden; text-overflow: ellipsis; max-width: 9rem; }
.annex li { display: grid; grid-template-columns: auto minmax(0, 1fr) 5.5rem 8.5rem 6.5rem 4.5rem; }
.annex .state { font-size: .875em; overflow: hidden; text-overflow: ellipsis; }
.annex .own { display: flex; align-items: center; gap: .5rem; color: var(--soft); font-size: .875em; }
.annex .size { text-align: right; color: var(--soft); font-size: .875em; }
.bar { display: inline-block; width: 4rem; height: .5rem; }
.bar i { display: block; height: 100%; background: var(--link); border-radius: 2px; }
path { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-opacity: .65; vector-effect: non-scaling-stroke; }
path.none { stroke-dasharray: 2 5; }
figcaption { grid-column: 1 / -1; padding-top: .75rem; color: var(--soft); font-size: .875rem; }
.legend { display: block; } .legend > span { margin-right: .75rem; white-space: nowrap; }
.legend .bar { width: 1.5rem; }

details { border: 1px solid var(--line); border-radius: 8px; margin-top: .5rem; background: var(--panel); }
summary { display: flex; align-items: baseline; gap: .5rem; padding: .5rem .75rem; cursor: pointer; }
summary::after { content: "+"; margin-left: auto; color: var(--soft); font-weight: 700; }
details[open] > summary::after { content: "\\2212"; }
summary h3 { min-width: 0; }
summary .state { font-size: .875rem; flex: none; }
.body { padding: .25rem .75rem .75rem; scroll-margin-top: 3.5rem; }
.reason { color: var(--ink); border-left: 4px solid; padding: .25rem .75rem; margin-bottom: .5rem; }
.reason.bad { border-color: var(--bad); } .reason.open { border-color: var(--open); } .reason.ok { border-color: var(--ok); }
dl div { display: grid; grid-template-columns: minmax(7rem, 12rem) minmax(0, 1fr); gap: .75rem; padding: .125rem 0; }
dt { color: var(--soft); }
.scroller { overflow-x: auto; margin-top: .75rem; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { text-align: left; padding: .5rem .75rem; color: var(--soft); }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem; border-top: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; white-space: nowrap; }
th[scope=row] { min-width: 9rem; } td { min-width: 5.5rem; } td:last-child { min-width: 9rem; }

@media (max-width: 60rem) {
  .annex li { grid-template-columns: auto minmax(0, 1fr) auto; } .picture .version { max-width: 5rem; }
  .annex .state, .annex .own, .annex .size { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
}
@media (max-width: 40rem) {
  .picture { grid-template-columns: minmax(0, 9fr) minmax(1.75rem, 3fr) minmax(0, 12fr); }
  .picture li, .picture h3 { padding: 0 .375rem; gap: .25rem; font-size: .875rem; }
  .picture h3 { padding: .5rem .375rem; }
  .core .version { display: none; } .picture .version { max-width: 3.5rem; }
  dl div { grid-template-columns: minmax(0, 1fr); gap: 0; }
}
@media print {
  body { max-width: none; padding: 0; }
  nav, .skip { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary::after { content: none; }
  .scroller { overflow: visible; }
  summary, .reason, dl div, tr { break-inside: avoid; }
  .core, .annex, details, .bar i { print-color-adjust: exact; }
}
`;
