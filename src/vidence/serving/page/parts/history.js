// Every question that was asked, newest first.

import { fail } from "../announce.js";
import { media } from "../library.js";
import { deleteRun, listRuns } from "../questions.js";
import { go } from "../route.js";
import { html, useEffect, useState, useValue } from "../ui.js";
import { ago, named, t } from "../words.js";
import { Confirm } from "./dialog.js";
import { IconButton } from "./icon.js";

const MORE = 100;

export function History() {
  const [runs, setRuns] = useState(null);
  const [limit, setLimit] = useState(MORE);
  const known = useValue(media) ?? [];
  useEffect(() => {
    listRuns("", limit).then(setRuns, fail);
  }, [limit]);
  const remove = async (id) => {
    await deleteRun(id);
    setRuns((old) => old.filter((run) => run.id !== id));
  };
  const name = (run) => known.find((one) => one.id === run.media_id)?.name ?? run.name ?? "";
  return html`<main id="main" class="history"><h1 tabindex="-1">${t("runs.title")}</h1>
    ${!runs && html`<p class="faint" role="status">${t("loading")}</p>`}
    ${runs && !runs.length && html`<p class="faint">${t("runs.none")}</p>`}
    <ul class="runs">${(runs ?? []).map((run) => html`<${RunRow} key=${run.id} run=${run} name=${name(run)} onOpen=${() => go("video", run.media_id, { run: run.id })} onDelete=${() => remove(run.id)} />`)}</ul>
    ${runs?.length === limit && html`<button type="button" onClick=${() => setLimit(limit + MORE)}>${t("runs.more")}</button>`}
  </main>`;
}

/** One run: what was asked, what was said, when. */
export function RunRow({ run, name = "", onOpen, onDelete }) {
  const [asking, setAsking] = useState(false);
  const guess = run.answer?.text && run.answer.status !== "answered" ? `${t("answer.best_guess")} ` : "";
  const said = run.answer?.text ? guess + run.answer.text : run.answer ? named("status", run.answer.status) : t("runs.cut_off");
  return html`<li class="run"><button type="button" class="run-open" onClick=${onOpen}>
      <strong dir="auto">${run.question}</strong><span dir="auto" class="run-said">${said}</span>
      <span class="faint small" dir="auto">${[name, ago(run.asked)].filter(Boolean).join(" · ")}</span></button>
    <${IconButton} name="close" size=${16} label=${t("run.delete_this", { question: run.question })} onClick=${() => setAsking(true)} />
    ${asking && html`<${Confirm} title=${t("run.delete")} text=${run.question} action=${t("run.delete")} onYes=${() => { setAsking(false); onDelete(); }} onClose=${() => setAsking(false)} />`}</li>`;
}
