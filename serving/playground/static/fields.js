/** What is wrong with a field, said at the field. */

/** Mark the field of that name and go there. False if there is none. */
export function blame(form, name, words) {
  const field = form.elements[name];
  const place = document.getElementById(`${name}-error`);
  if (!field || !place) return false;
  place.textContent = words;
  place.hidden = false;
  field.setAttribute("aria-invalid", "true");
  const folded = field.closest("details");
  if (folded) folded.open = true;
  field.focus();
  return true;
}

/** Nothing is wrong. */
export function absolve(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".error")) place.hidden = true;
}
