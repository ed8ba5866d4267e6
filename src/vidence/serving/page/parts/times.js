// Times as things to press: a press plays that span in a loop.

import { range, seconds } from "../clock.js";
import * as playback from "../playback.js";
import { html } from "../ui.js";
import { named, t } from "../words.js";
import { Icon } from "./icon.js";

/** A citation: its time, and by which sense. */
export function Chip({ start, end, sense = "", onPick = playback.playSpan }) {
  const label = sense ? t("chip.play_sense", { span: range(start, end), sense: named("sense", sense) }) : t("chip.play", { span: range(start, end) });
  return html`<button type="button" class="chip" data-start=${start} data-end=${end} aria-label=${label} title=${t("chip.hint")} onClick=${() => onPick(start, end)}>
    <${Icon} name="play" size=${12} /><span class="chip-time">${range(start, end)}</span>${sense && html`<span class="chip-sense">${named("sense", sense)}</span>`}</button>`;
}

const CLOCK = String.raw`-?(?:\d+:)?\d{1,2}:\d{2}\.\d+`; // with a fraction: "14:35" may be what is written on a board
const TIMES = new RegExp(`(?<![\\d:])(${CLOCK})(?:\\s*[–-]\\s*(${CLOCK})| to (${CLOCK}))?(?!\\d|:\\d)`, "g");

/** Text in which times such as 00:09.375–00:10.750 can be pressed. */
export function Timed({ text }) {
  const parts = [];
  let at = 0;
  for (const match of String(text).matchAll(TIMES)) {
    const [whole, from, to, until] = match;
    const start = seconds(from);
    parts.push(text.slice(at, match.index));
    parts.push(html`<button type="button" class="time" key=${match.index} aria-label=${t("chip.play", { span: whole })} onClick=${() => playback.playSpan(start, to || until ? seconds(to ?? until) : start)}>${short(from, to ?? until)}</button>`);
    at = match.index + whole.length;
  }
  parts.push(String(text).slice(at));
  return html`<span dir="auto">${parts}</span>`;
}

const short = (from, to) => range(seconds(from), to ? seconds(to) : seconds(from));
