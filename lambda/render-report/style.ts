import { FONT_SIZE } from './charts.ts';

/** The page's look: one column, light and dark, and fit for paper. No font or image is fetched. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d2329; --muted: #57606a; --rule: #dedbd5;
  --accent: #1c5d99; --accent-soft: #e4eef8; --contrast: #b0480f; --third: #6a51a3; --neutral: #8a939b;
  --warn-ink: #7a3d00; --warn-soft: #fdf1dd; --good-ink: #1d6234; --good-soft: #e3f3e7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --card: #1d2126; --ink: #e7e9ec; --muted: #a3acb5; --rule: #363c44;
    --accent: #79b4ef; --accent-soft: #1d3348; --contrast: #f0965a; --third: #b9a3e3; --neutral: #7c858e;
    --warn-ink: #f6c98a; --warn-soft: #3a2b14; --good-ink: #8fd6a4; --good-soft: #17331f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.5rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
main, header.page, footer.page { max-width: 66rem; margin: 0 auto; padding: 0 1.5rem; }
header.page { padding-top: 3rem; }
footer.page { padding: 2rem 1.5rem 4rem; color: var(--muted); font-size: .875rem; }
.kicker { margin: 0; color: var(--accent); font-weight: 600; letter-spacing: .02em; }
h1 { margin: .4rem 0 .8rem; max-width: 26ch; font-size: clamp(1.7rem, 4.2vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; text-wrap: balance; }
h2 { margin: 0 0 .3rem; font-size: 1.35rem; letter-spacing: -.01em; }
h3 { margin: 1.6rem 0 .3rem; font-size: 1rem; }
p { margin: .3rem 0 .8rem; max-width: 68ch; }
.lead { font-size: 1.1rem; color: var(--muted); }
section { margin: 1.5rem 0; padding: 1.6rem; background: var(--card); border: 1px solid var(--rule); border-radius: .75rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0; padding: 0; }
.tile { margin: 0; padding: .9rem 1rem; background: var(--card); border: 1px solid var(--rule); border-radius: .75rem; }
.tile dt { color: var(--muted); font-size: .85rem; }
.tile dd { margin: 0; font-size: 1.6rem; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.tile dd small { display: block; font-size: .8rem; font-weight: 400; letter-spacing: 0; color: var(--muted); }
.notes { margin: 1rem 0; padding: 0; list-style: none; }
.notes li { margin: .5rem 0; padding: .7rem 1rem; border-radius: .5rem; background: var(--warn-soft); color: var(--warn-ink); }
.notes li.good { background: var(--good-soft); color: var(--good-ink); }
.scroll { overflow-x: auto; }
:is(.scroll, details) + .scroll { margin-top: 1.4rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { padding: 0 0 .5rem; text-align: left; color: var(--muted); }
th, td { padding: .45rem 1rem .45rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; }
tbody th { min-width: 9rem; font-weight: 500; }
thead th.number { white-space: normal; }
.number { text-align: right; white-space: nowrap; }
td small, th small { display: block; color: var(--muted); font-weight: 400; }
tr.chosen { background: var(--accent-soft); }
tr.chosen > :first-child { box-shadow: inset 3px 0 0 var(--accent); padding-left: .7rem; }
.tag { display: inline-block; margin-right: .3rem; padding: 0 .5rem; border-radius: 1rem; background: var(--accent); color: var(--card); font-size: .75rem; font-weight: 600; }
.tag.plain { background: var(--rule); color: var(--ink); }
.chance { display: inline-block; min-width: 3.6em; }
.track { display: inline-block; width: 6rem; height: .5rem; border-radius: .3rem; background: var(--accent-soft); overflow: hidden; vertical-align: middle; }
.bar { display: block; height: 100%; border-radius: .3rem; background: var(--accent); }
.id { font-family: ui-monospace, "Liberation Mono", monospace; font-size: .85rem; overflow-wrap: anywhere; }
figure { margin: 1rem 0 0; }
figure h3 { margin: 0 0 .6rem; }
figcaption { color: var(--muted); font-size: .9rem; max-width: 68ch; }
svg.states { width: 100%; max-width: 46rem; }
svg.states path { stroke: var(--card); stroke-width: 1; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: .6rem 0 0; padding: 0; list-style: none; font-size: .85rem; color: var(--muted); }
.swatch { display: inline-block; width: 1rem; height: 1rem; margin-right: .4rem; border: 1px solid var(--rule); border-radius: .2rem; vertical-align: -.15rem; print-color-adjust: exact; }
figure svg { display: block; font-size: ${FONT_SIZE}px; max-width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.5rem; }
details { margin: .8rem 0 0; }
summary { cursor: pointer; color: var(--accent); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.2rem; margin: .8rem 0; font-size: .9rem; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: .3rem 0; padding: .6rem .8rem; overflow-x: auto; border-radius: .4rem; background: var(--paper); font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; z-index: 5; padding: .4rem .8rem; background: var(--card); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .2rem; }
nav.contents { position: sticky; top: 0; z-index: 3; overflow-x: auto; background: var(--paper); border-bottom: 1px solid var(--rule); }
nav.contents ol { display: flex; gap: .2rem; margin: 0; padding: .35rem 1rem; list-style: none; white-space: nowrap; }
nav.contents a { display: block; padding: .35rem .7rem; border-radius: 1rem; color: var(--muted); font-size: .9rem; text-decoration: none; }
nav.contents a:hover { color: var(--ink); background: var(--accent-soft); }
nav.contents a[aria-current] { color: var(--accent); background: var(--accent-soft); font-weight: 600; }
.chapter { margin-top: 3.5rem; }
.chapter-title { font-size: 1.8rem; letter-spacing: -.02em; }
.chapter-lead { margin: 0 0 1rem; color: var(--muted); font-size: 1.05rem; }
.breath { margin: 1.6rem 0; padding: 0; list-style: none; max-width: 52rem; }
.breath li { display: grid; grid-template-columns: 6rem 1fr; gap: 1rem; padding: .7rem 0; border-top: 1px solid var(--rule); }
.breath li > strong { color: var(--good-ink); }
.breath li > strong::before { content: "●"; margin-right: .5rem; font-size: .7em; vertical-align: .15em; }
.breath li.warned > strong { color: var(--warn-ink); }
.breath li.warned > strong::before { content: "▲"; }
.terms-and-figures { display: grid; grid-template-columns: minmax(17rem, 1fr) minmax(17rem, 1fr); gap: 2rem; align-items: start; margin: 1.2rem 0; }
.terms-and-figures .tiles { margin: 0; grid-template-columns: repeat(2, 1fr); }
.terms-and-figures .tile { background: var(--paper); }
.slider { display: grid; grid-template-columns: 1fr auto; gap: .1rem 1rem; margin-bottom: .9rem; }
.slider label { font-size: .95rem; }
.slider output { font-weight: 650; font-variant-numeric: tabular-nums; }
.slider input { grid-column: 1 / -1; width: 100%; accent-color: var(--accent); }
button { font: inherit; font-size: .9rem; padding: .4rem .9rem; border: 1px solid var(--rule); border-radius: .5rem; background: var(--paper); color: var(--ink); cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); }
input[type=search] { font: inherit; font-size: .95rem; padding: .35rem .6rem; border: 1px solid var(--neutral); border-radius: .5rem; background: var(--paper); color: var(--ink); min-width: 14rem; }
.list-tools { display: flex; flex-wrap: wrap; gap: .8rem; align-items: center; margin: 1.4rem 0 .8rem; }
.list-tools .shown { color: var(--muted); font-size: .9rem; }
th button { padding: 0; border: 0; background: none; color: inherit; font-weight: 600; text-align: inherit; }
th[aria-sort=descending] button::after { content: " ↓"; }
th[aria-sort=ascending] button::after { content: " ↑"; }
th[aria-sort=descending] button, th[aria-sort=ascending] button { color: var(--accent); }
button.more { display: block; margin: 1rem 0 0; }
button[hidden] { display: none; }
.fine, .evidence { color: var(--muted); font-size: .9rem; }
.verdict { padding: .8rem 1rem; border-radius: .5rem; background: var(--warn-soft); color: var(--warn-ink); }
.nobody-note { display: none; padding: .8rem 1rem; border-radius: .5rem; background: var(--warn-soft); color: var(--warn-ink); }
.nobody .nobody-note { display: block; }
.nobody table.users, .nobody .list-tools, .nobody button.more { display: none; }
html:not(.scripted) :is(.terms, .list-tools label, button.download, button.more) { display: none; }
html:not(.scripted) .terms-and-figures { display: block; }
.tooltip { position: fixed; z-index: 9; max-width: 22rem; padding: .45rem .7rem; border: 1px solid var(--rule); border-radius: .4rem; background: var(--card); color: var(--ink); font-size: .8rem; box-shadow: 0 4px 14px rgb(0 0 0 / .16); pointer-events: none; }
.tooltip[hidden] { display: none; }
.tooltip-line { display: flex; justify-content: space-between; gap: 1rem; }
.tooltip-name { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.range table { font-size: .85rem; }
.range th, .range td { padding: .15rem .5rem .15rem 0; border: 0; vertical-align: middle; }
.range tbody th { min-width: 0; white-space: nowrap; }
.range svg { display: block; }
.range path { stroke: var(--accent); stroke-width: 2; }
.range path.overall { stroke: var(--neutral); stroke-width: 1; stroke-dasharray: 3 2; }
.range path.predicted { stroke: var(--contrast); }
.range circle { fill: var(--accent); }
span.predicted { color: var(--contrast); }
.pair.three { grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
@media screen and (min-width: 82rem) {
  body:not(.index) { display: grid; grid-template-columns: 14rem minmax(0, 66rem); gap: 2rem; justify-content: center; }
  nav.contents { align-self: start; top: 2rem; margin-top: 3rem; overflow: visible; border: 0; background: none; }
  nav.contents ol { display: block; padding: 0; }
  nav.contents li { margin-bottom: .15rem; }
  html { scroll-padding-top: 1.5rem; }
}
@media screen and (max-width: 40rem) {
  .breath li { grid-template-columns: 1fr; gap: .2rem; }
  .terms-and-figures { grid-template-columns: 1fr; }
  input[type=search] { min-width: 0; width: 100%; }
  .chart { overflow-x: auto; }
  #profit-curve svg { min-width: 34rem; }
  .list-tools label { flex: 1 1 100%; }
  main, header.page { padding: 0 1rem; }
  section { padding: 1rem; }
  .scroll table { min-width: 38rem; }
  .range .scroll table { min-width: 0; }
  .range :is(.fine, :is(th, td):nth-child(4)) { display: none; }
  dl.facts { grid-template-columns: 1fr; }
  dl.facts dd { margin-bottom: .5rem; }
}
@page { margin: 12mm; }
@media print {
  :root {
    color-scheme: light; font-size: 9pt;
    --paper: #ffffff; --card: #ffffff; --ink: #000000; --muted: #444444; --rule: #cccccc;
    --accent: #1c5d99; --accent-soft: #e4eef8; --contrast: #b0480f; --third: #6a51a3; --neutral: #9aa3ab;
    --warn-ink: #7a3d00; --warn-soft: #fdf1dd; --good-ink: #1d6234; --good-soft: #e3f3e7;
  }
  body { font-size: 1rem; }
  nav.contents, .skip, .terms, .list-tools, button { display: none; }
  th button { display: inline; }
  .chapter { margin-top: 1.5rem; }
  .chapter-title { break-after: avoid; }
  main, header.page { padding: 0; }
  .scroll { overflow: visible; }
  table { font-size: .85rem; }
  th, td { padding-right: .5rem; }
  tbody th { min-width: 0; }
  .number { white-space: normal; }
  tr { break-inside: avoid; }
  section { break-inside: avoid-page; border: 0; padding: 0; }
  section.long { break-inside: auto; }
  details::details-content { content-visibility: visible; height: auto; }
}
`;
