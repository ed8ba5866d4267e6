// What an answer cost, and what was not seen while it was found.

import { html } from "../ui.js";
import { listed, named, number, percent, t } from "../words.js";

export function Receipt({ receipt }) {
  const parts = [
    t("receipt.wall", { n: round(receipt.wall_s) }),
    receipt.index_s > 0.05 && t("receipt.index", { n: round(receipt.index_s) }),
    t("receipt.steps", { n: receipt.steps }),
    t("receipt.frames", { n: receipt.frames }),
    receipt.seconds_decoded > 0.05 && t("receipt.decoded", { n: round(receipt.seconds_decoded) }),
    receipt.model_calls > 0 && t("receipt.calls", { n: receipt.model_calls }),
    receipt.tokens > 0 && t("receipt.tokens", { n: receipt.tokens }),
    receipt.money !== null && receipt.money !== undefined && t("receipt.money", { amount: number(receipt.money, 4) }),
  ];
  return html`<p class="receipt small faint"><span class="receipt-name">${t("receipt.title")}</span> ${parts.filter(Boolean).join(" · ")}</p>`;
}

const round = (value) => Math.round(value * 10) / 10;

/** Say which senses did not see all: what is not seen is not absent. */
export function Unseen({ coverage, senses }) {
  const never = senses.filter((name) => !coverage.seen[name]).map((name) => named("sense", name));
  const part = Object.entries(coverage.seen).filter(([, share]) => share > 0 && share < 0.995)
    .map(([name, share]) => t("unseen.share", { name: named("sense", name), share: percent(share) }));
  const failed = new Set(coverage.failures.map((one) => named("sense", one.sense)));
  return html`<div class="coverage small faint">
    ${!never.length && !part.length && html`<p>${t("unseen.nothing")}</p>`}
    ${never.length > 0 && html`<p>${t("unseen.never", { senses: listed(never) })}</p>`}
    ${part.length > 0 && html`<p>${t("unseen.part", { senses: listed(part) })}</p>`}
    ${failed.size > 0 && html`<p>${t("unseen.failed", { senses: listed([...failed]) })}</p>`}
  </div>`;
}
