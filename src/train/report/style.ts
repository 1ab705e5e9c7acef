/** The report's style sheet: readable without scripts, light and dark, on a phone and on paper. */
export const css = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6472; --paper: #ffffff; --card: #f6f7f9; --line: #dfe3e8; --accent: #0072b2; --good: 0, 114, 178; --bad: 213, 94, 0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa4b2; --paper: #14181e; --card: #1c222b; --line: #2d3540; --accent: #56b4e9; --good: 86, 180, 233; --bad: 230, 140, 60; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, "Segoe UI", Roboto, Ubuntu, Cantarell, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 20px 60px; }
h1 { font-size: 2rem; line-height: 1.15; margin: 0 0 4px; letter-spacing: -0.015em; }
h2 { font-size: 1.3rem; margin: 44px 0 4px; padding-top: 18px; border-top: 1px solid var(--line); }
h3 { font-size: 0.95rem; margin: 0 0 2px; }
p { margin: 6px 0; } .soft, figcaption, .intro { color: var(--soft); } figcaption { font-size: 0.85rem; margin-bottom: 10px; max-width: 70ch; }
.summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 8px; }
.summary div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.summary dt { color: var(--soft); font-size: 0.8rem; } .summary dd { margin: 0; font-size: 1.5rem; font-weight: 650; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.summary small { display: block; color: var(--soft); font-size: 0.75rem; font-weight: 400; letter-spacing: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 24px; margin-top: 16px; }
figure { margin: 0; min-width: 0; } figure.wide { grid-column: 1 / -1; }
svg { width: 100%; height: auto; display: block; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 0.8rem; color: var(--soft); } .legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; } th { font-weight: 600; text-align: left; color: var(--soft); } td, th { padding: 4px 10px; border-bottom: 1px solid var(--line); } td.number, th.number { text-align: right; }
.confusion td, .confusion th { text-align: center; padding: 0; min-width: 30px; height: 30px; border: 1px solid var(--paper); font-size: 0.78rem; } .confusion th { border: 0; padding: 0 6px; }
.pictures { display: flex; flex-wrap: wrap; gap: 10px 8px; } .pictures div { text-align: center; font-size: 0.72rem; line-height: 1.25; color: var(--soft); } .pictures img { display: block; image-rendering: pixelated; border-radius: 4px; border: 1px solid var(--line); margin: 0 auto 2px; }
dl.definitions { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 0.85rem; margin: 6px 0; } dl.definitions dt { color: var(--soft); } dl.definitions dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.8rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.88em; background: var(--card); padding: 1px 4px; border-radius: 4px; }
footer { margin-top: 48px; padding-top: 14px; border-top: 1px solid var(--line); color: var(--soft); font-size: 0.8rem; }
@media print { main { padding: 0; } figure { break-inside: avoid; } }
`
