/** The only stylesheet: the system's fonts, light or dark as the visitor prefers, and large buttons for thumbs. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f4ef; --card: #fff; --line: #e4dfd5; --ink: #23201b; --soft: #6a6459;
  --accent: #b4451f; --on-accent: #fff; --tint: #fbe9e1; --danger: #b3261e;
  --shadow: 0 1px 2px #0000000d, 0 6px 20px -12px #00000026;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #171513; --card: #211e1b; --line: #37322c; --ink: #efebe4; --soft: #a59d90;
    --accent: #f08a5d; --on-accent: #26120a; --tint: #3a251c; --danger: #ff8a80; --shadow: none;
  }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere;
}
main, .panel, nav { width: min(100% - 2rem, 44rem); margin-inline: auto; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.02em; margin: 1.75rem 0 1rem; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; }
ul { list-style: none; margin: 0; padding: 0; }
a { color: var(--accent); }
code { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; font-size: .95em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

header { position: sticky; top: 0; z-index: 1; background: var(--page); border-bottom: 1px solid var(--line); }
nav { display: flex; align-items: center; gap: .25rem; min-height: 3.5rem; }
nav a { display: flex; align-items: center; min-height: 2.75rem; padding: 0 .7rem; border-radius: .6rem; color: var(--soft); text-decoration: none; font-weight: 550; }
nav a[aria-current] { background: var(--tint); color: var(--accent); }
nav .home { margin-right: auto; padding-left: 0; color: var(--ink); font-weight: 750; letter-spacing: -.01em; }

.card {
  display: block; background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  box-shadow: var(--shadow); padding: 1.1rem; margin-bottom: 1rem;
}
.card > :last-child { margin-bottom: 0; }
.card ol { margin: 0; padding-left: 1.25rem; display: grid; gap: .5rem; }
.lead { font-size: 1.125rem; }
.muted, .hint { color: var(--soft); font-size: .9rem; font-weight: 400; }
.hint { margin: .9rem 0 0; }
.text { white-space: pre-wrap; }
.picture {
  width: 4rem; height: 4rem; padding: .85rem; margin-bottom: .4rem; border-radius: 50%; background: var(--tint);
  fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round;
}
.flash { background: var(--tint); border-left: 4px solid var(--accent); border-radius: .6rem; padding: .8rem 1rem; margin: 1rem 0 0; }

button, .button {
  display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; min-width: 2.75rem;
  padding: .5rem 1.1rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card);
  color: var(--ink); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer;
  touch-action: manipulation;
}
button:hover, .button:hover { border-color: var(--accent); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.danger { color: var(--danger); }
.quiet { border-color: transparent; background: none; color: var(--soft); }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1rem; }
label { display: grid; gap: .35rem; font-weight: 600; }
input, textarea {
  width: 100%; min-height: 2.75rem; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--page); color: inherit; font: inherit; font-weight: 400;
}
textarea { resize: vertical; }
.stack { display: grid; gap: 1rem; margin: 0; }
.stack > p { margin: 0; }
.stack .actions { margin: 0; }
summary { cursor: pointer; font-weight: 600; min-height: 2.75rem; align-content: center; margin-block: -.6rem; }
details[open] summary { margin-bottom: .4rem; }

.grid { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); margin-bottom: 1rem; }
.grid .card { margin: 0; height: 100%; }
.product, .tile { display: flex; flex-direction: column; align-items: center; gap: .15rem; text-align: center; }
.product form { width: 100%; margin: auto 0 0; padding-top: .6rem; }
.product button { width: 100%; }
.tile { color: inherit; text-decoration: none; }
.tile:hover { border-color: var(--accent); }
.lines { margin-bottom: .9rem; }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; padding: .6rem 0; border-top: 1px solid var(--line); }
.what { flex: 1 1 7rem; }
.stepper { display: flex; align-items: center; gap: .15rem; margin: 0; }
.stepper button { padding: 0; }
.stepper output { min-width: 2.2rem; text-align: center; font-weight: 600; font-variant-numeric: tabular-nums; }

.rows > li { border-top: 1px solid var(--line); }
.rows { margin-bottom: .75rem; }
.row { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 0 1rem; min-height: 3rem; padding-block: .4rem; font-weight: 600; text-decoration: none; }
.row span:last-child { flex: none; }
.session { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .8rem 0; }
.session p { margin: 0 0 .3rem; }
.session form { margin: 0; }
.badge { background: var(--tint); color: var(--accent); border-radius: 1rem; padding: .1rem .6rem; font-size: .85rem; font-weight: 600; }
.actions > * { flex: 1 1 auto; margin: 0; }
.actions form button { width: 100%; }
.chips { display: flex; flex-wrap: wrap; gap: .35rem; }
.chips li { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; }

.panel { border-top: 1px solid var(--line); margin-block: 2.5rem 2rem; padding-top: 1.25rem; color: var(--soft); font-size: .9rem; }
.panel h2 { font-size: .95rem; color: var(--ink); margin: 0 0 .5rem; }
.panel p:empty { display: none; }
.panel dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem 1rem; margin: 0; }
.panel dt { font-size: .8rem; }
.panel dd { margin: 0; color: var(--ink); font-variant-numeric: tabular-nums; }
.live { margin-left: .35rem; font-size: .8rem; font-weight: 600; color: var(--accent); }
.live::before { content: ""; display: inline-block; width: .5rem; height: .5rem; margin-right: .3rem; border-radius: 50%; background: currentColor; }
`;
