// What is said and written, line by line; the line of now is marked.

import { clock } from "../clock.js";
import * as playback from "../playback.js";
import { classes, computed, html, useMemo, useState, useValue } from "../ui.js";
import { named, t } from "../words.js";

const MOST_LINES = 400;
const TABS = ["speech", "text", "scenes"];

export function Transcript({ timeline }) {
  const lines = { speech: timeline.lanes.speech ?? [], text: timeline.lanes.text ?? [], scenes: timeline.scenes };
  const tabs = TABS.filter((name) => lines[name].length > 0);
  const [wanted, setWanted] = useState("");
  const [most, setMost] = useState(MOST_LINES);
  const tab = tabs.includes(wanted) ? wanted : tabs[0];
  const at = useLineOfNow(lines[tab] ?? []);
  if (!tab) return null;
  return html`<section class="card transcript" aria-label=${t("transcript.label")}>
    <div class="tabs" role="group" aria-label=${t("transcript.label")}>${tabs.map((name) => html`<button key=${name} type="button" aria-pressed=${name === tab ? "true" : "false"} onClick=${() => setWanted(name)}>${named("sense", name)} <small class="faint">${lines[name].length}</small></button>`)}</div>
    <ol class="lines" tabindex="0" aria-label=${named("sense", tab)}>${lines[tab].slice(0, most).map((line, index) => html`<li key=${index} class=${classes(index === at && "now")}><button type="button" class="line" onClick=${() => { playback.endLoop(); playback.seek(line.start); }}>
      <span class="line-time">${clock(line.start)}</span><span dir="auto">${line.text ?? line.title}${line.summary && html`<small class="faint"> ${line.summary}</small>`}</span></button></li>`)}</ol>
    ${lines[tab].length > most && html`<button type="button" class="small" onClick=${() => setMost(most + MOST_LINES)}>${t("transcript.more")}</button>`}
  </section>`;
}

/** Return the number of the line that is said or shown now, -1 for none; changes only when it does. */
function useLineOfNow(lines) {
  const source = useMemo(() => computed(() => {
    const at = playback.now.value;
    return lines.findIndex((line) => at >= line.start && at < line.end);
  }), [lines]);
  return useValue(source);
}
