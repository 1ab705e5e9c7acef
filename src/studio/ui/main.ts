import { mount } from 'svelte'
import { colorVariables } from '../../report/palette.ts'
import App from './App.svelte'
import 'uplot/dist/uPlot.min.css'
import './app.css'

// The colours of reports.
const sheet = new CSSStyleSheet()
sheet.replaceSync(
  `:root{${colorVariables('light')}}@media (prefers-color-scheme:dark){:root{${colorVariables('dark')}}}`,
)
document.adoptedStyleSheets = [sheet]

mount(App, { target: document.body })
