// The box in which a question is written, with what may be chosen besides.

import { me } from "../library.js";
import { html, useRef, useState, useValue } from "../ui.js";
import { named, t } from "../words.js";

/** `onAsk` is given the body of POST /api/ask, without the media. */
export function AskBox({ onAsk, suggestions, busy }) {
  const who = useValue(me);
  const form = useRef(null);
  const [more, setMore] = useState(false);
  const submit = (event) => {
    event?.preventDefault();
    const wish = read(form.current);
    if (!wish.question) return;
    onAsk(wish);
    for (const name of ["question", "choices"]) form.current.elements[name].value = ""; // the budget stays
    setMore(false);
    grow(form.current.elements.question);
  };
  const hear = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
    if (event.key === "Escape") event.target.blur();
  };
  return html`<section class="ask" aria-label=${t("ask.label")}>
    <form ref=${form} onSubmit=${submit}>
      <label class="hidden" for="question">${t("ask.label")}</label>
      <div class="ask-box"><textarea id="question" name="question" rows="1" required placeholder=${t("ask.placeholder")} aria-keyshortcuts="A"
          onKeyDown=${hear} onInput=${(event) => grow(event.target)}></textarea>
        <button class="primary">${t("ask.go")}</button></div>
      <div class="row ask-more">${suggestions.length > 0 && !busy && suggestions.map((text) => html`<button key=${text} type="button" class="suggestion" dir="auto" onClick=${() => onAsk({ ...read(form.current), question: text, choices: undefined })}>${text}</button>`)}
        <button type="button" class="small quiet" aria-expanded=${more ? "true" : "false"} aria-controls="ask-options" onClick=${() => setMore(!more)}>${more ? t("ask.fewer") : t("ask.more")}</button></div>
      <div id="ask-options" class="options" hidden=${!more}>
        <label class="wide">${t("ask.choices")}<textarea name="choices" rows="4" placeholder=${t("ask.choices_hint")}></textarea></label>
        ${who?.policies.length > 1 && html`<label>${t("ask.policy")}<select name="policy">${who.policies.map((one) => html`<option key=${one.name} value=${one.name}>${policyName(one)}</option>`)}</select></label>`}
        <label>${t("ask.time_limit")}<input name="time_limit_s" type="number" min="1" step="1" inputmode="numeric" placeholder="∞" /></label>
        <label>${t("ask.max_steps")}<input name="max_steps" type="number" min="1" step="1" inputmode="numeric" placeholder="12" /></label>
        <label>${t("ask.max_frames")}<input name="max_frames" type="number" min="0" step="1" inputmode="numeric" placeholder="∞" /></label>
      </div>
    </form>
  </section>`;
}

const policyName = (one) => (one.name === "rules" ? named("policy", "rules") : one.label || one.name);

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 200)}px`;
}

/** Read the form as the server wants it: what was left empty is left out. */
function read(form) {
  const fields = form.elements;
  const lines = fields.choices.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const budget = {};
  for (const name of ["time_limit_s", "max_steps", "max_frames"]) {
    if (fields[name].value !== "") budget[name] = Number(fields[name].value);
  }
  return {
    question: fields.question.value.trim(),
    ...(lines.length > 1 && { choices: lines }),
    ...(fields.policy && { policy: fields.policy.value }),
    ...(Object.keys(budget).length && { budget }),
  };
}
