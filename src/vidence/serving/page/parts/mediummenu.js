// What may be done with a video: export, look again, rename, delete.

import { fail, note } from "../announce.js";
import { mediumUrl } from "../server.js";
import { deleteMedium, indexMedium, me, renameMedium } from "../library.js";
import { go } from "../route.js";
import { html, useState, useValue } from "../ui.js";
import { named, t } from "../words.js";
import { Confirm, Dialog } from "./dialog.js";
import { Menu } from "./menu.js";

export function ExportMenu({ medium }) {
  const formats = useValue(me)?.formats ?? [];
  const items = formats.map((format) => ({ label: named("format", format), hint: `.${format}`, download: "", href: `${mediumUrl(medium.id, "export")}?format=${encodeURIComponent(format)}` }));
  return html`<${Menu} label=${t("export.title")} icon="down" items=${items} text=${true} />`;
}

export function MediumMenu({ act, medium }) {
  const items = [
    { label: t("medium.rename"), onPick: () => act("rename") },
    medium.available && { label: t("medium.index"), onPick: () => act("index") },
    medium.available && { label: t("medium.file"), href: mediumUrl(medium.id, "file"), download: medium.name },
    { label: t("medium.delete"), onPick: () => act("delete"), danger: true },
  ];
  return html`<${Menu} label=${t("medium.menu")} icon="more" items=${items.filter(Boolean)} />`;
}

/** Return the dialog that is open, if any, and a way to open one. */
export function useMediumDialogs(medium) {
  const [open, act] = useState("");
  const close = () => act("");
  const run = async (work, said) => {
    close();
    try {
      await work();
      if (said) note(said);
    } catch (error) {
      fail(error);
    }
  };
  const remove = () => run(async () => {
    await deleteMedium(medium.id);
    go("library");
  }, t("medium.deleted", { name: medium.name }));
  if (open === "delete") return [html`<${Confirm} title=${t("medium.delete_title")} text=${t("medium.delete_text", { name: medium.name })} action=${t("medium.delete")} onYes=${remove} onClose=${close} />`, act];
  if (open === "rename") return [html`<${Rename} medium=${medium} onClose=${close} onName=${(name) => run(() => renameMedium(medium.id, name))} />`, act];
  if (open === "index") return [html`<${Look} medium=${medium} onClose=${close} onWish=${(wish) => run(() => indexMedium(medium.id, wish), t("medium.indexing"))} />`, act];
  return [null, act];
}

function Rename({ medium, onClose, onName }) {
  const submit = (event) => {
    event.preventDefault();
    onName(event.target.elements.name.value.trim());
  };
  return html`<${Dialog} title=${t("medium.rename")} onClose=${onClose}><form onSubmit=${submit}>
    <label class="wide">${t("medium.name")}<input name="name" required maxlength="200" defaultValue=${medium.name} autofocus dir="auto" /></label>
    <div class="row end"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("medium.save")}</button></div></form></${Dialog}>`;
}

function Look({ medium, onClose, onWish }) {
  const senses = useValue(me)?.senses ?? [];
  const missing = senses.filter((name) => (medium.seen[name] ?? 0) < 0.995);
  const [chosen, setChosen] = useState(missing);
  const choose = (name, wanted) => setChosen(senses.filter((one) => (one === name ? wanted : chosen.includes(one))));
  const submit = (event) => {
    event.preventDefault();
    const language = event.target.elements.language.value.trim();
    onWish({ senses: chosen, ...(language && { language }) });
  };
  return html`<${Dialog} title=${t("medium.index")} onClose=${onClose}><form onSubmit=${submit}>
    <p class="faint">${missing.length ? t("medium.index_about") : t("medium.index_whole")}</p>
    <fieldset class="senses"><legend class="hidden">${t("medium.senses")}</legend>${senses.map((name) => html`<label key=${name} class="check"><input type="checkbox" checked=${chosen.includes(name)} onChange=${(event) => choose(name, event.target.checked)} /> ${named("sense", name)}</label>`)}</fieldset>
    <label class="wide">${t("medium.language")}<input name="language" maxlength="8" placeholder="auto" autocapitalize="none" /></label>
    <div class="row end"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary" disabled=${!chosen.length}>${t("medium.index_go")}</button></div></form></${Dialog}>`;
}
