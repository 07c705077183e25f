// Ties each slider to the number field that it moves. Without scripts the sliders stay hidden and the fields say all.
"use strict";

for (const slider of document.querySelectorAll("input[type=range][data-for]")) {
  const field = slider.form.elements[slider.dataset.for];
  slider.hidden = false;
  slider.addEventListener("input", () => { field.value = slider.value; });
  field.addEventListener("input", () => { slider.value = field.value === "" ? slider.max : field.value; });
}
