export const docsStyle = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2330, #e4e8ef); --soft: light-dark(#566072, #9aa5b8); --ground: light-dark(#fff, #12161d);
  --card: light-dark(#f6f7f9, #1a2029); --line: light-dark(#d9dee6, #303948); --accent: light-dark(#1d5fbf, #7fb2ff);
  --get: light-dark(#1d6b3a, #7bd49a); --post: light-dark(#8a4b00, #f0b869); --bad: light-dark(#a3202c, #ff9a9f);
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0 auto; max-width: 62rem; padding: 0 1.25rem 4rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; margin: 1.5rem 0 .5rem } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem } p { margin: .5rem 0 }
a { color: var(--accent) } :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
code, pre, textarea, input { font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { margin: .5rem 0; padding: .75rem; background: var(--ground); border: 1px solid var(--line); border-radius: 6px;
  overflow: auto; max-height: 30rem; white-space: pre-wrap }
.soft { color: var(--soft); font-size: .875rem; font-weight: normal }
.call { margin: .5rem 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
summary { cursor: pointer; padding: .55rem .75rem; border-radius: 8px }
summary .path { font-weight: 600 } summary .about { color: var(--soft); margin-left: .5rem }
.method { display: inline-block; min-width: 4.25rem; font-weight: 700; font-size: .8125rem }
.GET { color: var(--get) } .POST, .PATCH { color: var(--post) } .DELETE { color: var(--bad) }
.inside { padding: 0 .9rem .9rem; border-top: 1px solid var(--line) }
table { width: 100%; border-collapse: collapse; margin: .75rem 0 } caption { text-align: left; font-weight: 600 }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line) }
tbody th { width: 12rem; font-weight: 600 } tr:target, section:target { background: light-dark(#fff4cc, #3a3314) }
form { display: none; gap: .6rem .9rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)) }
.try { display: none } .scripted .try { display: block } .scripted form { display: grid }
.wide { grid-column: 1 / -1 } label { display: block; font-size: .875rem; font-weight: 600 }
input, textarea { display: block; width: 100%; margin-top: .2rem; padding: .4rem .55rem; color: inherit;
  background: var(--ground); border: 1px solid var(--line); border-radius: 6px } textarea { resize: vertical }
button { font: inherit; font-size: .9rem; padding: .35rem .9rem; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 6px; cursor: pointer } button:hover { border-color: var(--accent) }
.try button:not([type]) { color: var(--ground); background: var(--accent); border-color: var(--accent) }
.token { align-items: end; grid-template-columns: minmax(12rem, 30rem) max-content; padding: .75rem 0 }
output:empty { display: none } .failed { color: var(--bad) }
@media (max-width: 40rem) { tbody th { width: auto } summary .about { display: block; margin-left: 0 } }
`
