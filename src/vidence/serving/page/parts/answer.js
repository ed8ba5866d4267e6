// A question and its answer: growing while it is being found, then with claims, conflicts, the reasons, and the cost.

import { me } from "../library.js";
import { deleteRun } from "../questions.js";
import { html, useState, useValue } from "../ui.js";
import { ago, named, t } from "../words.js";
import { Claim, Conflict } from "./claim.js";
import { IconButton } from "./icon.js";
import { Menu } from "./menu.js";
import { SenseBars } from "./progress.js";
import { Receipt, Unseen } from "./receipt.js";
import { Chip, Timed } from "./times.js";
import { actionWords, Belief, Trace } from "./trace.js";

const RUN_FORMATS = ["html", "json", "jsonl"];
const LEAST_GUESS = 0.35;

/** `asked` is a signal of `questions.js`; the answer shown is that of `medium`. */
export function Asked({ asked, medium, media, onClose }) {
  const state = useValue(asked);
  const answer = state.answers.find((one) => !one.media_id || one.media_id === medium.id);
  const running = state.state === "running";
  return html`<article class="asked card" aria-busy=${running ? "true" : "false"} aria-label=${state.question}>
    <header class="row spread top-aligned"><div><h2 dir="auto">${state.question}</h2>
        ${state.choices.length > 0 && html`<ol class="choices" type="A">${state.choices.map((one, at) => html`<li key=${at} dir="auto" class=${answer?.choice?.index === at && answer.status === "answered" ? "chosen" : ""}>${one}</li>`)}</ol>`}
        ${state.asked && html`<p class="small faint">${ago(state.asked)}</p>`}</div>
      <div class="row nowrap">${running ? html`<button type="button" class="small" onClick=${state.stop}>${t("ask.stop")}</button>`
        : html`${state.run !== null && html`<${RunMenu} run=${state.run} onClose=${onClose} />`}<${IconButton} name="close" size=${18} label=${t("answer.close")} onClick=${onClose} />`}</div></header>
    ${running && html`<${Growing} state=${state} />`}
    ${state.state === "failed" && html`<p class="error" role="alert" dir="auto">${state.error}</p>`}
    ${state.state === "stopped" && html`<p class="warning">${t("ask.stopped")}</p>`}
    ${answer && html`<${Answer} answer=${answer} medium=${medium} media=${media} />`}
    ${!running && state.steps.length > 0 && html`<details class="why"><summary>${t("answer.why")}</summary><${Trace} steps=${state.steps} /></details>`}
    ${answer && html`<${Receipt} receipt=${answer.receipt} />`}
  </article>`;
}

function RunMenu({ run, onClose }) {
  const address = `api/runs/${encodeURIComponent(run)}/export?format=`;
  const items = RUN_FORMATS.map((format) => ({ label: named("format", format), hint: `.${format}`, href: address + format, download: "" }));
  const gone = () => deleteRun(run).then(onClose);
  return html`<${Menu} label=${t("answer.menu")} icon="more" items=${[...items, { label: t("run.delete"), onPick: gone, danger: true }]} />`;
}

/** The newest steps, and what is thought so far. */
function Growing({ state }) {
  const last = state.steps.at(-1);
  const belief = [...state.steps].reverse().find((step) => step.kind === "belief" && step.data.hypotheses?.length);
  return html`<div class="growing">
    <p class="doing" role="status"><span class="spinner" aria-hidden="true"></span>${doing(last, state)}</p>
    ${Object.keys(state.progress).length > 0 && html`<${SenseBars} progress=${state.progress} />`}
    ${belief && html`<div class="so-far"><p class="small faint">${t("ask.so_far")}</p><${Belief} data=${belief.data} /></div>`}
    ${state.steps.length > 1 && html`<details class="why" open><summary>${t("ask.steps", { n: state.steps.length })}</summary><${Trace} steps=${state.steps} /></details>`}
  </div>`;
}

function doing(last, state) {
  if (Object.keys(state.progress).length) return t("ask.indexing");
  if (!last || last.kind === "instruction") return t("ask.reading");
  if (last.kind === "action") return actionWords(last);
  return t("ask.thinking");
}

function Answer({ answer, medium, media }) {
  const senses = useValue(me)?.senses ?? [];
  const better = answer.claims.filter((claim) => claim.verdict === "supported").length;
  return html`<div class="answer">
    ${answer.status !== "answered" && html`<p class="warning">${named("status", answer.status)}</p>`}
    <p class=${answer.status === "answered" ? "answer-text" : "answer-text unsure"}>${answer.text ? html`${answer.status !== "answered" && html`<span class="faint">${t("answer.best_guess")}</span> `}<${Timed} text=${answer.text} />` : html`<span class="faint">${t("answer.none")}</span>`}</p>
    ${answer.text && html`<${Confidence} answer=${answer} />`}
    ${answer.spans.length > 0 && html`<div class="chips" aria-label=${t("answer.spans")} role="group">${answer.spans.slice(0, 8).map((span, at) => html`<${Chip} key=${at} start=${span.start_s} end=${span.end_s} />`)}</div>`}
    <${Conflicts} conflicts=${answer.conflicts} medium=${medium} media=${media} />
    ${answer.claims.length > 0 && html`<section class="claims" aria-label=${t("answer.evidence")}><h3>${t("answer.evidence")} <small class="faint">${t("answer.checked", { n: answer.claims.length, good: better })}</small></h3>
      <ul>${answer.claims.map((claim, at) => html`<${Claim} key=${at} claim=${claim} medium=${medium} />`)}</ul></section>`}
    ${answer.lacking && html`<p class="lacking"><strong>${t("answer.lacking")}</strong> <${Timed} text=${answer.lacking} /></p>`}
    ${answer.status !== "answered" && answer.next_looks.length > 0 && html`<div class="next"><p class="small">${answer.status === "budget exhausted" ? t("answer.next") : t("answer.next_look")}</p><div class="chips">${answer.next_looks.slice(0, 6).map((span, at) => html`<${Chip} key=${at} start=${span.start_s} end=${span.end_s} />`)}</div></div>`}
    <details class="why"><summary>${t("unseen.title")}</summary><${Unseen} coverage=${answer.coverage} senses=${senses} /></details>
  </div>`;
}

/** The first contradiction, and the others behind a press: three side by side would hide the evidence. */
function Conflicts({ conflicts, medium, media }) {
  const [first, ...others] = conflicts.map((one, at) => html`<${Conflict} key=${at} conflict=${one} medium=${medium} media=${media} />`);
  return html`${first}${others.length > 0 && html`<details class="why"><summary>${t("conflict.more", { n: others.length })}</summary><div class="conflicts">${others}</div></details>`}`;
}

/** How sure the answer is, in words first. */
function Confidence({ answer }) {
  const level = answer.confident ? (answer.confidence >= 0.8 ? "sure" : "fair") : answer.confidence >= LEAST_GUESS ? "guess" : "weak";
  const words = { sure: t("confidence.sure"), fair: t("confidence.fair"), guess: t("confidence.guess"), weak: t("confidence.weak") }[level];
  return html`<p class=${`confidence ${level}`}><meter min="0" max="1" value=${answer.confidence} aria-hidden="true"></meter><span>${words}</span></p>`;
}
