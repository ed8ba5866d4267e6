// How a report is to be made: the few things that matter to each application, in a dialog.

import { note } from "../announce.js";
import { me } from "../library.js";
import { makeReport } from "../reports.js";
import { html, useState, useValue } from "../ui.js";
import { named, t } from "../words.js";
import { Dialog } from "./dialog.js";

const POLICIES = ["family", "workplace"];
const OWN = "own";
const HEARING = new Set(["moderate", "study"]); // for which it matters what is said
const FIELDS = { moderate: Moderate, watch: Watching };

export function MakeReport({ app, medium, onClose }) {
  const checkers = (useValue(me)?.policies ?? []).filter((one) => one.name !== "rules");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const Fields = FIELDS[app];
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await makeReport(medium.id, app, read(event.target.elements));
      onClose();
      note(t("reports.begun"));
    } catch (refused) {
      setError(refused.message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${named("app", app)} onClose=${onClose}><form onSubmit=${submit}>
    <p class="faint">${named("about", app, "")} ${t("reports.about")}</p>
    ${Fields && html`<${Fields} />`}
    ${HEARING.has(app) && html`<label class="wide">${t("medium.language")}<input name="language" maxlength="8" pattern="[a-zA-Z]{2,8}" placeholder="auto" autocapitalize="none" /></label>`}
    ${checkers.length > 0 && html`<label class="wide">${t("reports.checker")}<select name="checker"><option value="">${t("reports.senses")}</option>
      ${checkers.map((one) => html`<option key=${one.name} value=${one.name}>${one.label || one.name}</option>`)}</select></label>`}
    <label class="wide">${t("ask.time_limit")}<input name="time_limit_s" type="number" min="1" step="1" inputmode="numeric" placeholder="∞" /></label>
    ${error && html`<p class="error" role="alert" dir="auto">${error}</p>`}
    <div class="row end"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary" disabled=${busy}>${t("reports.go")}</button></div>
  </form></${Dialog}>`;
}

function Moderate() {
  const [policy, setPolicy] = useState(POLICIES[0]);
  return html`<label class="wide">${t("reports.policy")}<select name="policy" value=${policy} onChange=${(event) => setPolicy(event.target.value)}>
      ${[...POLICIES, OWN].map((name) => html`<option key=${name} value=${name}>${named("viewing", name)}</option>`)}</select></label>
    ${policy === OWN && html`<label class="wide">${t("reports.own")}<textarea class="code" name="own" rows="8" required spellcheck=${false} placeholder=${EXAMPLE}></textarea></label>`}`;
}

const EXAMPLE = "policy: mine\ntitle: …\nrules:\n  - id: …\n    label: language/profanity/mild\n    severity: low\n    words: {en: […]}";

function Watching() {
  return html`<label class="wide">${t("reports.starts")}<input name="starts" type="datetime-local" step="1" /></label>
    <label class="check"><input type="checkbox" name="blur_faces" /> ${t("reports.blur")}</label>`;
}

/** Read the form as the server wants it: what was left empty is left out. */
function read(fields) {
  const options = {};
  for (const name of ["language", "checker", "starts", "policy"]) {
    if (fields[name]?.value.trim()) options[name] = fields[name].value.trim();
  }
  if (fields.own) options.policy = fields.own.value;
  if (fields.blur_faces?.checked) options.blur_faces = true;
  if (fields.time_limit_s.value !== "") options.time_limit_s = Number(fields.time_limit_s.value);
  return options;
}
