// Asks for the token where the server wants one.

import { ApiError, signIn } from "../server.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";
import { Controls } from "./header.js";

export function SignIn({ onIn }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(event.target.elements.token.value.trim());
      await onIn();
    } catch (refused) {
      const wrong = refused instanceof ApiError && [401, 403].includes(refused.status);
      setError(wrong ? t("signin.wrong") : refused.message);
      setBusy(false);
    }
  };
  return html`<main class="signin" id="main">
    <form class="card" onSubmit=${submit}>
      <img src="icon.svg" width="48" height="48" alt="" />
      <h1>${t("signin.title")}</h1>
      <p class="faint">${t("signin.about")}</p>
      <label for="token">${t("signin.token")}</label>
      <input id="token" name="token" type="password" required autocomplete="current-password" autofocus
        aria-describedby="signin-error" aria-invalid=${error ? "true" : null} />
      <p id="signin-error" class="error" role="alert">${error}</p>
      <button class="primary" disabled=${busy}>${t("signin.go")}</button>
    </form>
    <div class="row"><${Controls} /></div>
  </main>`;
}
