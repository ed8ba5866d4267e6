// What a search over the whole library found; a press opens the video at that moment.

import { api, frameUrl } from "../server.js";
import { range } from "../clock.js";
import { media } from "../library.js";
import { link, route } from "../route.js";
import { html, useEffect, useState, useValue } from "../ui.js";
import { named, t } from "../words.js";
import { say } from "../announce.js";
import { Icon } from "./icon.js";

const MOST = 60;

export function Found() {
  const { query } = useValue(route);
  const q = query.q ?? "";
  const [state, setState] = useState({ q: null, hits: [], error: "" });
  useEffect(() => {
    const stopper = new AbortController();
    if (!q) return undefined;
    api(`api/search?q=${encodeURIComponent(q)}&limit=${MOST}`, { signal: stopper.signal }).then(
      ({ hits: found }) => {
        const hits = found.filter((hit) => hit.sense !== "shots"); // that there is a shot tells nobody anything
        setState({ q, hits, error: "" });
        say(t("search.count", { n: hits.length }));
      },
      (error) => error.name === "AbortError" || setState({ q, hits: [], error: error.message }),
    );
    return () => stopper.abort();
  }, [q]);
  const waiting = state.q !== q && q;
  return html`<main id="main" class="found"><h1 tabindex="-1" dir="auto">${q ? t("search.title", { q }) : t("search.label")}</h1>
    ${waiting && html`<p class="faint"><span class="spinner" aria-hidden="true"></span>${t("search.waiting")}</p>`}
    ${!waiting && state.error && html`<p class="error" role="alert" dir="auto">${state.error}</p>`}
    ${!waiting && !state.error && q && html`<p class="faint">${state.hits.length ? t("search.count", { n: state.hits.length }) : t("search.none")}</p>`}
    ${!waiting && grouped(state.hits).map(([id, hits]) => html`<${Group} key=${id} id=${id} hits=${hits} q=${q} />`)}
  </main>`;
}

/** Group hits by video, the video of the best hit first. */
function grouped(hits) {
  const groups = new Map();
  for (const hit of hits) groups.set(hit.media_id, [...(groups.get(hit.media_id) ?? []), hit]);
  return [...groups];
}

function Group({ id, hits, q }) {
  const medium = useValue(media)?.find((one) => one.id === id);
  return html`<section class="group"><h2><a href=${link("video", id)} dir="auto">${medium?.name ?? hits[0].name}</a></h2>
    <ul class="hits">${hits.map((hit, at) => html`<li key=${at}><a class="hit" href=${link("video", id, { at: hit.start, to: hit.end })}>
      <span class="hit-picture">${medium?.width && medium.available ? html`<img src=${frameUrl(id, (hit.start + hit.end) / 2, 120)} alt="" loading="lazy" />` : html`<${Icon} name="sound" size=${28} />`}</span>
      <span class="hit-about"><span dir="auto"><${Marked} text=${hit.text} q=${q} /></span><span class="faint small">${range(hit.start, hit.end)} · ${named("sense", hit.sense)}</span></span></a></li>`)}</ul></section>`;
}

/** Text with the words of the query marked in it. */
function Marked({ text, q }) {
  const words = q.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!words.length) return text;
  const parts = String(text).split(new RegExp(`(${words.join("|")})`, "giu"));
  return parts.map((part, at) => (at % 2 ? html`<mark key=${at}>${part}</mark>` : part));
}
