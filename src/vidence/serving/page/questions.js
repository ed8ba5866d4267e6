// Questions being answered, and those that were: each grows step by step and may be stopped.

import { api, events, request } from "./server.js";
import { fail, say } from "./announce.js";
import { signal } from "./ui.js";
import { t } from "./words.js";

/** Questions asked since the page was opened, newest first; each a signal of the shape that `begin` makes. */
export const asked = signal([]);

let made = 0;

/**
 * Ask. `wish` is the body of POST /api/ask.
 *
 * The signal that is returned holds {key, question, media, run, steps, progress, answers, state, error, stop}, where
 * state is "running", "done", "stopped" or "failed", and answers are one a medium.
 */
export function ask(wish) {
  const stopper = new AbortController();
  const begun = signal({
    key: `asked-${(made += 1)}`,
    question: wish.question,
    choices: wish.choices ?? [],
    media: wish.media,
    run: null,
    steps: [],
    progress: {},
    answers: [],
    state: "running",
    error: "",
    stop: () => stopper.abort(),
  });
  asked.value = [begun, ...asked.value];
  say(t("ask.begun"));
  follow(begun, wish, stopper.signal);
  return begun;
}

async function follow(begun, wish, stop) {
  const change = (what) => {
    begun.value = { ...begun.value, ...what };
  };
  try {
    const headers = { Accept: "text/event-stream" };
    const response = await request("api/ask", { method: "POST", json: wish, headers, signal: stop });
    for await (const [name, data] of events(response)) take(begun.value, name, data, change);
    const { answers, error } = begun.value;
    if (begun.value.state === "running") {
      change(answers.length && !error ? { state: "done" } : { state: "failed", error: error || t("ask.cut_off") });
    }
    if (answers.length) say(t("ask.heard", { text: answers.at(-1).text || t("answer.none") }));
  } catch (error) {
    if (error.name === "AbortError") change({ state: "stopped" });
    else change({ state: "failed", error: error.message });
  }
}

function take(state, name, data, change) {
  if (name === "run") change({ run: data.run });
  else if (name === "progress") change({ progress: { ...state.progress, [data.sense]: data } });
  else if (name === "step") change({ steps: [...state.steps, data], progress: {} });
  else if (name === "answer") change({ answers: [...state.answers, data], progress: {} });
  else if (name === "error") change({ error: data.message });
}

/** Return a run that the server kept, in the same shape. */
export async function loadRun(id) {
  const run = await api(`api/runs/${encodeURIComponent(id)}`);
  return signal({
    key: `run-${run.id}`,
    question: run.question,
    choices: run.choices ?? [],
    media: [run.media_id],
    run: run.id,
    steps: run.steps,
    progress: {},
    answers: run.answer ? [{ media_id: run.media_id, ...run.answer }] : [],
    state: run.answer ? "done" : "stopped",
    error: "",
    asked: run.asked,
    stop: () => null,
  });
}

/** Return the newest runs, of one medium or of all. */
export async function listRuns(medium = "", limit = 50) {
  const found = await api(`api/runs?limit=${limit}${medium && `&media=${encodeURIComponent(medium)}`}`);
  return found.runs;
}

/** Delete a run; where it was asked just now it leaves the page as well. */
export async function deleteRun(id) {
  await api(`api/runs/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(fail);
  asked.value = asked.value.filter((one) => one.value.run !== id);
}

/** Return all that an answer cites, each piece of evidence once. */
export function cited(answer) {
  const claims = answer.claims.flatMap((claim) => [...claim.evidence, ...claim.against]);
  const disputed = answer.conflicts.flatMap((conflict) => [conflict.left, conflict.right]);
  return [...new Map([...claims, ...disputed].map((item) => [item.id, item])).values()];
}

/** Say whether evidence is of a medium; evidence names the kind of its hash before a colon. */
export const isOf = (item, id) => item.medium.split(":").at(-1) === id;
