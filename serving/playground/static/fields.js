/** Error messages at form fields. */

/** Show an error at the field `name` and focus it. Returns false if there is no such field. */
export function showFieldError(form, name, words) {
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

/** Remove all errors from the form. */
export function clearFieldErrors(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".error")) place.hidden = true;
}
