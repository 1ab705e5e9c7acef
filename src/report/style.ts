/** The page's style sheet: readable without scripts, light and dark, from a phone to a wide screen, and on paper. */
import { colorVariables } from './palette.ts'
import { fontFamily } from './plot.ts'

const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace'

export const css = `
:root{color-scheme:light dark;${colorVariables('light')};--right:27,98,173;--wrong:222,92,24;--good:#0a7a5c;--bad:#c2410c}
@media screen and (prefers-color-scheme:dark){:root{${colorVariables('dark')};--right:96,170,240;--wrong:240,125,60;--good:#45cfa4;--bad:#ff9d5c}.signed img,.scale i{filter:brightness(1.3)}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ${fontFamily};font-kerning:normal}
main{max-width:1120px;margin:0 auto;padding:56px 32px 72px}
h1,h2,h3{line-height:1.2;text-wrap:balance}
h1{margin:0;font-size:clamp(1.9rem,1.3rem + 2.4vw,2.75rem);font-weight:700;letter-spacing:-.025em}
.subtitle{margin:10px 0 0;max-width:64ch;font-size:1.1rem;color:var(--soft);text-wrap:pretty}
h2{margin:0;font-size:1.5rem;font-weight:680;letter-spacing:-.015em}
h3{margin:0;font-size:1rem;font-weight:650;letter-spacing:-.003em}
p{margin:0}
code{font:.88em ${mono};background:var(--wash);border:1px solid var(--line);border-radius:4px;padding:.08em .32em;overflow-wrap:anywhere}
.summary{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:22px 28px;margin:36px 0 0;padding:20px 0 22px;border-top:2px solid var(--ink);border-bottom:1px solid var(--line)}
.summary div{display:flex;flex-direction:column}
.summary dt{order:2;font-size:.85rem;color:var(--soft)}
.summary dd{margin:0;overflow-wrap:anywhere}
.summary .value{order:1;font-size:1.85rem;line-height:1.2;font-weight:680;letter-spacing:-.025em;font-variant-numeric:tabular-nums}
.summary div:first-child .value{color:var(--series-0)}
.summary .note{order:3;font-size:.78rem;color:var(--soft)}
nav{margin-top:14px;font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:2px 22px;margin:0;padding:0;list-style:none}
nav a{display:inline-block;padding:4px 0;color:var(--series-0);text-decoration:none}
nav a:hover,nav a:focus-visible{text-decoration:underline;text-underline-offset:3px}
section{margin-top:60px;scroll-margin-top:20px}
section>header{padding-top:16px;border-top:1px solid var(--line)}
.intro{margin-top:8px;max-width:70ch;color:var(--soft);text-wrap:pretty}
.row{display:grid;gap:44px 40px;margin-top:30px}
figure{margin:0;min-width:0}
@supports (grid-template-rows:subgrid){.row>figure{display:grid;grid-row:span 2;grid-template:subgrid/minmax(0,1fr);row-gap:0}}
figcaption{margin-bottom:14px}
figcaption p{margin-top:3px;max-width:68ch;font-size:.875rem;line-height:1.45;color:var(--soft);text-wrap:pretty}
@media (min-width:800px){.row.two{grid-template-columns:repeat(2,minmax(0,1fr))}.row.three{grid-template-columns:repeat(3,minmax(0,1fr))}}
@media (min-width:560px) and (max-width:799px){.row.three{grid-template-columns:repeat(2,minmax(0,1fr))}}
.body{container-type:inline-size}
.plot svg{display:none;width:100%;height:auto;overflow:visible;font-family:inherit;font-variant-numeric:tabular-nums}
.plot .medium{display:block;max-width:620px}
@container (max-width:459px){.plot .narrow{display:block}.plot .medium{display:none}}
@container (min-width:820px){.has-wide .wide{display:block}.has-wide .medium{display:none}}
.pictures,.tiles{list-style:none;margin:0;padding:0}
.pictures{display:flex;flex-wrap:wrap;gap:16px 14px}
.pictures li{max-width:100%;font-size:.76rem;line-height:1.3;color:var(--soft);text-align:center;overflow-wrap:break-word;font-variant-numeric:tabular-nums}
.pictures img,.tiles img,.matrix{display:block;max-width:100%;image-rendering:pixelated;box-shadow:0 0 0 1px var(--line)}
.pictures img{height:auto;border-radius:3px}
.pictures span{display:block;margin-top:5px}
.pictures .right img{box-shadow:0 0 0 2px var(--good)}
.pictures .wrong img{box-shadow:0 0 0 2px var(--bad)}
.pictures .right b{color:var(--good)}
.pictures .wrong b{color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(var(--columns),minmax(0,1fr));gap:5px}
.tiles.many{grid-template-columns:repeat(auto-fill,minmax(34px,1fr))}
.tiles li{font-size:.72rem;line-height:1.25;color:var(--soft);text-align:center;overflow-wrap:anywhere}
.tiles img{width:100%;height:auto;border-radius:1.5px}
.tiles span{display:block;margin:3px 0 4px}
.matrix{width:min(100%,480px);height:auto}
.scale{display:flex;align-items:center;gap:8px;margin-top:10px;font-size:.75rem;color:var(--soft);font-variant-numeric:tabular-nums}
.scale i{flex:none;width:96px;height:9px;border-radius:2px;background:linear-gradient(90deg,rgb(33,102,188),rgba(33,102,188,0) 50%,rgba(206,52,40,0) 50%,rgb(206,52,40));box-shadow:0 0 0 1px var(--line)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
.data{font-size:.875rem;min-width:min(100%,320px)}
.data th,.data td{padding:6px 18px 6px 0;text-align:left;font-weight:400;border-bottom:1px solid var(--line)}
.data th:last-child,.data td:last-child{padding-right:0}
.data thead th{font-weight:600;color:var(--soft);border-bottom:1px solid var(--soft);vertical-align:bottom}
.data .number{text-align:right;white-space:nowrap}
.confusion{font-size:.8rem;width:100%;max-width:540px;table-layout:fixed;min-width:calc(max(38px,var(--names)) + 25px*var(--classes) + 40px);border-collapse:separate;border-spacing:1px}
.confusion th,.confusion td{padding:0 2px;height:36px;text-align:center;font-weight:400}
.confusion tbody td:not(.rate){background:var(--wash)}
.confusion tbody td.right{background:rgba(var(--right),var(--a))}
.confusion tbody td.wrong{background:rgba(var(--wrong),var(--a));font-weight:600}
.confusion thead th,.confusion thead td{height:22px;font-weight:600}
.confusion th[scope=row]{padding-right:8px;text-align:right;font-weight:600;white-space:nowrap}
.confusion .axis,.confusion .rate,.confusion th.rate{font-weight:400;font-size:.72rem;color:var(--soft)}
.confusion .rate{white-space:nowrap}
.confusion .names{width:max(56px,var(--names))}
.confusion .rates{width:56px}
.confusion th.axis:not([colspan]){text-align:right;padding-right:8px;vertical-align:bottom}
.confusion tfoot .all{font-weight:650;color:var(--ink)}
@container (max-width:459px){.pictures{gap:14px 10px}.small li{max-width:calc((100% - 30px)/4)}}
@container (max-width:459px){.confusion{font-size:.68rem}.confusion th,.confusion td{padding:0;height:28px}.confusion .names{width:max(38px,var(--names))}.confusion .rates{width:38px}.confusion tfoot{display:none}.confusion th.rate{white-space:normal;line-height:1.1}}
.turned th:not(.axis){vertical-align:bottom;height:auto;padding-bottom:6px}
.turned th:not(.axis) span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}
.definitions{columns:2 230px;column-gap:40px;margin:0;font-size:.875rem}
.definitions.few{columns:1}
.definitions div{display:flex;justify-content:space-between;gap:16px;padding:5px 0;border-bottom:1px solid var(--line);break-inside:avoid}
.definitions dt{color:var(--soft)}
.definitions dd{margin:0;font:.82rem/1.6 ${mono};text-align:right;overflow-wrap:anywhere;min-width:0}
.prose{max-width:70ch}
.shaded{white-space:pre-wrap;overflow-wrap:anywhere;font-family:ui-monospace,monospace;line-height:1.6}
.prose p+p{margin-top:.8em}
.empty{padding:22px;border:1px dashed var(--line);border-radius:6px;font-size:.875rem;color:var(--soft);text-align:center}
body>footer,main>footer{margin-top:64px;padding-top:16px;border-top:1px solid var(--line);font-size:.82rem;color:var(--soft)}
@media (max-width:559px){main{padding:32px 16px 48px}section{margin-top:44px}.row{gap:34px;margin-top:24px}.summary{grid-template-columns:repeat(2,minmax(0,1fr));gap:18px 20px;margin-top:26px}.summary .value{font-size:1.55rem}}
@media print{@page{margin:16mm 14mm}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}:root{color-scheme:light}body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}.summary{grid-template-columns:repeat(auto-fit,minmax(108px,1fr));gap:14px 20px;margin-top:20px}.summary .value{font-size:1.5rem}section{margin-top:28px}figure,.summary,section>header{break-inside:avoid}section>header,figcaption{break-after:avoid}.row{gap:24px 28px;margin-top:18px}.row.two{grid-template-columns:repeat(2,minmax(0,1fr))}.row.three{grid-template-columns:repeat(3,minmax(0,1fr))}}
`
