/** The dialog in which the user enters or deletes the key. */

import * as key from "./key.js";

const byId = (id) => document.getElementById(id);

/**
 * Connect the dialog's controls.
 * @param {{changed: () => void, closed: () => void}} tell callbacks: the key was changed or deleted; the dialog was closed
 * @returns {() => void} function that opens the dialog
 */
export function wireKeyDialog({ changed, closed }) {
  const [dialog, input, error] = [byId("key-dialog"), byId("key"), byId("key-error")];

  const refresh = () => {
    byId("key-state").textContent = key.shown();
    byId("key-forget").hidden = key.current() === null;
  };
  const settle = (value) => {
    key.keep(value);
    refresh();
    dialog.close();
    changed();
  };
  const wrong = (words) => {
    error.textContent = words;
    error.hidden = words === "";
    input.toggleAttribute("aria-invalid", words !== "");
  };
  const open = () => {
    input.value = "";
    wrong("");
    refresh();
    dialog.showModal();
    input.focus();
  };

  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (key.usable(given)) settle(given);
    else wrong(given === "" ? "Paste the key here." : "That does not look like a key: keys have letters, digits and signs, and no spaces.");
  });
  byId("key-forget").addEventListener("click", () => settle(null));
  byId("key-cancel").addEventListener("click", () => dialog.close());
  byId("key-open").addEventListener("click", open);
  byId("notice-key").addEventListener("click", open);
  dialog.addEventListener("close", closed);
  addEventListener("hashchange", () => key.takeFromAddress() && settle(key.current()));
  refresh();
  return open;
}
