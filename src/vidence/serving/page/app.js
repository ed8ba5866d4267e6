// The page: words first, then who one is, then the view that the address names.

import { remark } from "./announce.js";
import { ApiError, signedOut, unreachable } from "./server.js";
import { useKeys } from "./keys.js";
import { media, start } from "./library.js";
import { DropTarget } from "./parts/add.js";
import { Found } from "./parts/found.js";
import { Header } from "./parts/header.js";
import { Help } from "./parts/help.js";
import { History } from "./parts/history.js";
import { Shelf } from "./parts/shelf.js";
import { SignIn } from "./parts/signin.js";
import { Watch } from "./parts/watch.js";
import { route } from "./route.js";
import "./theme.js";
import { html, render, useEffect, useState, useValue } from "./ui.js";
import { language, startWords, t } from "./words.js";

const VIEWS = { library: Shelf, video: Watch, search: Found, runs: History };
const TRY_AGAIN_MS = 3000;

function App() {
  useValue(language); // every word below is drawn anew in another language
  const place = useValue(route);
  const locked = useValue(signedOut);
  const [helping, setHelping] = useState(false);
  useKeys({
    "/": () => document.getElementById("search")?.focus(),
    "?": () => setHelping(true),
  });
  useTitle(place);
  if (locked) return html`<${SignIn} onIn=${start} /><${Remarks} />`;
  const View = VIEWS[place.name];
  return html`<a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    <${Header} onHelp=${() => setHelping(true)} />
    <${Offline} />
    <${View} />
    <${DropTarget} />
    ${helping && html`<${Help} onClose=${() => setHelping(false)} />`}
    <${Remarks} />`;
}

/** The address after "#" is ours, so the focus is moved by hand. */
function skip(event) {
  event.preventDefault();
  document.querySelector("main h1, main a, main button")?.focus();
}

/** Name the tab after what is shown, and move the focus there when the view changes. */
function useTitle(place) {
  const name = useValue(media)?.find((one) => one.id === place.id)?.name;
  const title = { library: t("nav.library"), runs: t("nav.runs"), search: t("search.label"), video: name }[place.name];
  useEffect(() => {
    document.title = title ? `${title} · Vidence` : "Vidence";
  }, [title]);
  const [first, setFirst] = useState(true);
  useEffect(() => {
    if (!first) document.querySelector("main h1")?.focus({ preventScroll: true });
    if (!first) scrollTo(0, 0);
    setFirst(false);
  }, [place.name, place.id]);
}

function Offline() {
  return useValue(unreachable) && html`<p class="offline" role="alert">${t("offline")}</p>`;
}

function Remarks() {
  const last = useValue(remark);
  const seen = last && last.kind !== "said";
  return html`<div class="hidden" role="status" aria-live="polite">${last?.kind !== "error" ? last?.text : ""}</div>
    <div class="remarks" role="alert">${seen && html`<p class=${last.kind} dir="auto">${last.text}</p>`}</div>`;
}

/** Start, and try again while the server does not answer; a refused token is asked for on the page. */
async function begin() {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) setTimeout(begin, TRY_AGAIN_MS);
  }
}

await startWords();
render(html`<${App} />`, document.getElementById("app"));
begin();
