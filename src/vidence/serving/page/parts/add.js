// Adding videos: choose, drop anywhere on the page, or name an address.

import { fail, note } from "../announce.js";
import { addUrl } from "../library.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { upload } from "../uploads.js";
import { t } from "../words.js";
import { Icon } from "./icon.js";

const ACCEPTED = "video/*,audio/*,.mkv,.avi,.ts,.m2ts,.mts,.mxf,.flv,.ogv,.webm,.mov";

/** The wide invitation where there is nothing yet, or a bar above the videos. */
export function Add({ inviting }) {
  const input = useRef(null);
  const choose = (event) => {
    upload([...event.target.files]).catch(fail);
    event.target.value = "";
  };
  return html`<section class=${inviting ? "add inviting" : "add"} aria-label=${t("add.label")}>
    ${inviting && html`<div class="invitation">
      <img src="icon.svg" width="56" height="56" alt="" />
      <h1 tabindex="-1">${t("empty.title")}</h1>
      <p>${t("empty.about")}</p></div>`}
    <div class="add-ways">
      <button type="button" class="primary" onClick=${() => input.current.click()}><${Icon} name="upload" size=${18} />${t("add.choose")}</button>
      <input ref=${input} id="files" class="hidden" type="file" multiple accept=${ACCEPTED} tabindex="-1" aria-label=${t("add.choose")} onChange=${choose} />
      <span class="faint or">${t("add.or")}</span>
      <${Address} />
    </div>
    ${inviting && html`<p class="faint drop-hint">${t("empty.drop")}</p>
      <ul class="promises">${["one", "two", "three"].map((which) => html`<li key=${which}><${Icon} name="check" size=${18} /><span>${promise(which)}</span></li>`)}</ul>`}
  </section>`;
}

const promise = (which) => ({ one: t("empty.one"), two: t("empty.two"), three: t("empty.three") })[which];

function Address() {
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    setBusy(true);
    try {
      await addUrl(form.elements.url.value.trim());
      form.reset();
      note(t("add.fetching"));
    } catch (error) {
      fail(error);
    }
    setBusy(false);
  };
  return html`<form class="address" onSubmit=${submit}>
    <input name="url" type="url" required placeholder="https://…" aria-label=${t("add.url")} autocomplete="off" />
    <button disabled=${busy}>${t("add.fetch")}</button>
  </form>`;
}

/** Takes files dropped anywhere, and shows that it would. */
export function DropTarget() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    const enter = (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event) => !event.relatedTarget && setOver(false);
    const drop = (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      if (location.hash !== "#/") location.hash = "#/";
      upload([...event.dataTransfer.files]).catch(fail);
    };
    const heard = { dragenter: enter, dragover: enter, dragleave: leave, drop };
    for (const [name, hear] of Object.entries(heard)) addEventListener(name, hear);
    return () => {
      for (const [name, hear] of Object.entries(heard)) removeEventListener(name, hear);
    };
  }, []);
  return over && html`<div class="drop-over" aria-hidden="true"><div><${Icon} name="upload" size=${48} /><p>${t("add.drop")}</p></div></div>`;
}
