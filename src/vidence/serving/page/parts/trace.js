// Why: the steps of the loop as they were taken, with the beliefs they led to.

import { range } from "../clock.js";
import { html, useState } from "../ui.js";
import { listed, named, percent, t } from "../words.js";
import { Chip, Timed } from "./times.js";

const MOST_CHIPS = 6;
const MOST_BELIEFS = 4;

export function Trace({ steps }) {
  return html`<ol class="trace">${steps.filter(tells).map((step) => html`<${Step} key=${step.index} step=${step} />`)}</ol>`;
}

/** The question is written above, and a belief in nothing yet says nothing. */
const tells = (step) => step.kind !== "instruction" && !(step.kind === "belief" && !step.data.hypotheses?.length);

function Step({ step }) {
  return html`<li class=${`step ${kind(step.kind)}`}><span class="step-kind">${named("step", step.kind)}</span>
    <div class="step-body">${body(step)}</div></li>`;
}

const KINDS = ["instruction", "observation", "reasoning", "action", "feedback", "belief", "memory"];
const kind = (name) => (KINDS.includes(name) ? name : "other");

function body(step) {
  if (step.kind === "belief") return html`<${Belief} data=${step.data} />`;
  if (step.kind === "action") return html`<p>${actionWords(step)}</p>`;
  return html`<${Folding} text=${step.content} /><${Spans} spans=${step.data.spans ?? []} />`;
}

/** A long text shows its beginning first. */
function Folding({ text }) {
  const [open, setOpen] = useState(false);
  const long = text.length > 420;
  return html`<p><${Timed} text=${long && !open ? `${text.slice(0, 380)}…` : text} />
    ${long && html` <button type="button" class="time" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>${open ? t("trace.less") : t("trace.more")}</button>`}</p>`;
}

/** Say in words what was done, from its name and what it was given. */
export function actionWords(step) {
  const { name, arguments: given = {} } = step.data ?? {};
  if (!name) return step.content;
  const what = Object.entries(spanned(given)).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length))
    .map(([key, value]) => `${named("argument", key)} ${key === "senses" ? listed(value.map((sense) => named("sense", sense))) : argument(value)}`);
  return what.length ? `${named("action", name)}: ${what.join(" · ")}` : named("action", name);
}

/** Put a start and an end, each in seconds or as a fraction of them, together as a span. */
function spanned({ start, end, ...others }) {
  const [from, to] = [start, end].map((time) => (time == null ? Number.NaN : fraction(time)));
  if (Number.isFinite(from) && Number.isFinite(to)) return { span: { start_s: from, end_s: to }, ...others };
  return { ...(start != null && { start }), ...(end != null && { end }), ...others };
}

function fraction(text) {
  const [above, below = "1"] = String(text).split("/");
  return Number(above) / Number(below);
}

function argument(value) {
  if (Array.isArray(value)) return listed(value.map(argument));
  if (value && typeof value === "object" && "start_s" in value) return range(value.start_s, value.end_s);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Spans({ spans }) {
  const known = spans.filter((span) => Number.isFinite(span?.start_s)).slice(0, MOST_CHIPS);
  return known.length > 0 && html`<div class="chips">${known.map((span, at) => html`<${Chip} key=${at} start=${span.start_s} end=${span.end_s} />`)}</div>`;
}

/** What is thought likely, and why; what is not known yet. */
export function Belief({ data }) {
  const best = [...(data.hypotheses ?? [])].sort((a, b) => b.probability - a.probability).slice(0, MOST_BELIEFS);
  return html`<ul class="beliefs">${best.map((one, at) => html`<li key=${at}>
      <progress max="1" value=${one.probability} aria-hidden="true"></progress><span class="share">${percent(one.probability)}</span>
      <span><${Timed} text=${one.text} />${one.clues?.length > 0 && html`<small class="faint" dir="auto"> ${one.clues.filter(([, weight]) => weight !== 0).map(([, , why]) => why).join(" · ")}</small>`}</span></li>`)}</ul>
    ${data.uncertainties?.length > 0 && html`<p class="small faint" dir="auto">${t("trace.open")} ${data.uncertainties.map(String).join("; ")}</p>`}`;
}
