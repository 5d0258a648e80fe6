"""The look of a report."""

CSS = """
:root { --ink: #1d2733; --soft: #5c6875; --line: #dfe4ea; --wash: #f5f7f9; --good: #1a7f4b; --open: #a86200;
        --accent: #2166ac; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--wash); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
       Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 .6rem; padding-top: 1.2rem; border-top: 3px solid var(--accent); }
h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); font-size: .92rem; }
.verdict { display: inline-block; margin: .7rem 0; padding: .45rem .9rem; border-radius: .5rem; font-weight: 600;
           background: #e3f4ea; color: var(--good); }
.verdict.open { background: #fdf1dd; color: var(--open); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .7rem; margin: .8rem 0; }
.tile { background: #fff; border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tile span { color: var(--soft); font-size: .85rem; }
.dense { margin: 1.2rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: #fff; border: 1px solid var(--line); font-size: .94rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem; border-bottom: 1px solid var(--line); }
thead th { background: #eef2f6; vertical-align: bottom; line-height: 1.3; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
.dense table { font-size: .84rem; }
.dense th, .dense td { padding: .4rem .55rem; }
figure { margin: .8rem 0; background: #fff; border: 1px solid var(--line); border-radius: .6rem; padding: .8rem; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .5rem; }
ul { margin: .4rem 0; padding-left: 1.3rem; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media print { body { background: #fff; } h2, figure, table { break-inside: avoid; } }
"""
