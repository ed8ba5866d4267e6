// The head of every view: where one is, search, language, dark or light, help.

import { signOut } from "../server.js";
import { me } from "../library.js";
import { go, link, route } from "../route.js";
import { switchTheme, theme } from "../theme.js";
import { html, useValue } from "../ui.js";
import { chooseLanguage, language, LANGUAGES, t } from "../words.js";
import { Icon, IconButton } from "./icon.js";

export function Header({ onHelp }) {
  const place = useValue(route);
  const who = useValue(me);
  const tab = (name, label) => html`<a href=${link(name)} aria-current=${place.name === name ? "page" : null}>${label}</a>`;
  return html`<header class="top">
    <a class="brand" href="#/" aria-label=${t("brand.home")}><img src="icon.svg" width="28" height="28" alt="" /><span>Vidence</span></a>
    <nav aria-label=${t("nav.label")}>${tab("library", t("nav.library"))}${tab("runs", t("nav.runs"))}</nav>
    <${SearchBox} place=${place} />
    <div class="row controls">
      <${Controls} />
      <${IconButton} name="help" label=${t("help.open")} onClick=${onHelp} />
      ${who?.tokens && html`<${IconButton} name="exit" label=${t("signout", { name: who.name })} onClick=${signOut} />`}
    </div>
  </header>`;
}

function SearchBox({ place }) {
  const submit = (event) => {
    event.preventDefault();
    const query = event.target.elements.q.value.trim();
    if (query) go("search", "", { q: query });
  };
  return html`<form class="search-box" role="search" onSubmit=${submit}>
    <${Icon} name="search" size=${18} />
    <input id="search" name="q" type="search" key=${place.query.q ?? ""} defaultValue=${place.query.q ?? ""}
      placeholder=${t("search.placeholder")} aria-label=${t("search.label")} aria-keyshortcuts="/" enterkeyhint="search" autocomplete="off" />
    <kbd aria-hidden="true">/</kbd>
  </form>`;
}

/** Language and theme. */
export function Controls() {
  const shade = useValue(theme);
  const code = useValue(language);
  return html`<select class="language" aria-label=${t("language.label")} value=${code}
      onChange=${(event) => chooseLanguage(event.target.value)}>
      ${Object.entries(LANGUAGES).map(([key, name]) => html`<option key=${key} value=${key} lang=${key} selected=${key === code}>${name}</option>`)}
    </select>
    <${IconButton} name=${shade === "dark" ? "sun" : "moon"} label=${shade === "dark" ? t("theme.light") : t("theme.dark")} onClick=${switchTheme} />`;
}
