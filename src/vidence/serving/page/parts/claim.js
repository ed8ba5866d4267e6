// A claim with what checking found, and what speaks for and against it, each quoted with its time.

import { frameUrl } from "../server.js";
import { isOf } from "../questions.js";
import { html } from "../ui.js";
import { named, t } from "../words.js";
import { Clip } from "./clip.js";
import { Icon } from "./icon.js";
import { Chip, Timed } from "./times.js";

const MARKS = { supported: "check", contradicted: "cross", unsupported: "doubt", unseen: "unseen" };
const known = (verdict) => (verdict in MARKS ? verdict : "unsupported");

export function Claim({ claim, medium }) {
  return html`<li class=${`claim ${known(claim.verdict)}`}>
    <p class="claim-text"><span class="verdict"><${Icon} name=${MARKS[known(claim.verdict)]} size=${16} /><span>${named("verdict", claim.verdict)}</span></span>
      <${Timed} text=${claim.text} /></p>
    ${claim.evidence.length > 0 && html`<ul class="evidence-list">${claim.evidence.map((item) => html`<${Evidence} key=${item.id} item=${item} medium=${medium} />`)}</ul>`}
    ${claim.against.length > 0 && html`<p class="small against-head">${t("claim.against")}</p>
      <ul class="evidence-list against">${claim.against.map((item) => html`<${Evidence} key=${item.id} item=${item} medium=${medium} />`)}</ul>`}
    ${claim.checked_by && html`<p class="faint small checked">${t("claim.checked")} <${Timed} text=${claim.checked_by} /></p>`}
  </li>`;
}

function Evidence({ item, medium }) {
  const here = isOf(item, medium.id);
  const picture = here && medium.width && medium.available && item.modality !== "speech" && item.modality !== "audio";
  return html`<li class="cite">
    ${picture && html`<img src=${frameUrl(medium.id, (item.start_s + item.end_s) / 2, 120)} alt="" loading="lazy" />`}
    <div>${item.quote && html`<blockquote dir="auto">${item.absent ? t("claim.absent", { quote: item.quote }) : item.quote}</blockquote>`}
      ${here ? html`<${Chip} start=${item.start_s} end=${item.end_s} sense=${item.sense} />` : html`<span class="faint small">${t("claim.elsewhere")}</span>`}</div>
  </li>`;
}

/** Two pieces of evidence that cannot both be right, side by side, each with its own player. */
export function Conflict({ conflict, medium, media }) {
  const side = (item) => {
    const of = media.find((one) => isOf(item, one.id)) ?? medium;
    return html`<figure class="side">
      <${Clip} medium=${of} start=${item.start_s} end=${item.end_s} />
      <figcaption><blockquote dir="auto">${item.quote || named("sense", item.sense)}</blockquote>
        ${of.id !== medium.id && html`<p class="small faint" dir="auto">${of.name}</p>`}
        ${of.id === medium.id && html`<${Chip} start=${item.start_s} end=${item.end_s} sense=${item.sense} />`}</figcaption></figure>`;
  };
  return html`<section class="conflict" aria-label=${t("conflict.label")}>
    <h3><${Icon} name="cross" size=${16} /> ${t("conflict.title")}: <${Timed} text=${conflict.about} /></h3>
    ${conflict.note && html`<p class="small"><${Timed} text=${conflict.note} /></p>`}
    <div class="sides">${side(conflict.left)}<span class="versus" aria-hidden="true">≠</span>${side(conflict.right)}</div>
  </section>`;
}
