/** The dialog in which the user enters or deletes the key. */

import * as key from "./key.js";

const byId = (id) => document.getElementById(id);

/**
 * Connect the dialog's controls.
 * @param {{changed: () => void, closed: () => void}} callbacks: the key was changed or deleted; the dialog was closed
 * @returns {() => void} function that opens the dialog
 */
export function wireKeyDialog({ changed, closed }) {
  const [dialog, input, error] = [byId("key-dialog"), byId("key"), byId("key-error")];

  const refresh = () => {
    byId("key-state").textContent = key.shown();
    byId("key-forget").hidden = key.current() === null;
  };
  const change = (value) => {
    key.keep(value);
    refresh();
    dialog.close();
    changed();
  };
  const showError = (words) => {
    error.textContent = words;
    error.hidden = words === "";
    input.toggleAttribute("aria-invalid", words !== "");
  };
  const open = () => {
    input.value = "";
    showError("");
    refresh();
    dialog.showModal();
    input.focus();
  };

  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (key.usable(given)) change(given);
    else showError(given === "" ? "Enter a key." : "This is not a valid key. A key has at least 8 letters, digits or symbols, and no spaces.");
  });
  byId("key-forget").addEventListener("click", () => change(null));
  byId("key-cancel").addEventListener("click", () => dialog.close());
  byId("key-open").addEventListener("click", open);
  byId("notice-key").addEventListener("click", open);
  dialog.addEventListener("close", closed);
  addEventListener("hashchange", () => key.takeFromAddress() && change(key.current()));
  refresh();
  return open;
}
