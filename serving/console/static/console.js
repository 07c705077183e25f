"use strict";

// The pages read without this file. It tells when new scores have arrived, and lets sliders answer as they are moved.

const CHECK_EVERY_MS = 60_000;

const bar = document.querySelector("[data-fresh]");

async function check() {
  if (document.hidden) return;
  try {
    const answer = await fetch(bar.dataset.fresh, { headers: { accept: "application/json" }, redirect: "error" });
    if (!answer.ok) return;
    const { load } = await answer.json();
    bar.hidden = String(load) === bar.dataset.load;
  } catch {
    // The service is away, or the session is over: the next page that is asked for says so.
  }
}

if (bar) {
  bar.querySelector("button").addEventListener("click", () => location.reload());
  setInterval(check, CHECK_EVERY_MS);
  document.addEventListener("visibilitychange", check);
}

// The way back from a customer leads to the list as it was left, with its filters and its page.
const back = document.querySelector("a[data-back]");
if (document.querySelector("[data-list]")) sessionStorage.setItem("list", location.pathname + location.search);
if (back) back.href = sessionStorage.getItem("list") ?? back.href;

for (const slider of document.querySelectorAll(".slider input[type=range]")) {
  const shown = slider.parentElement.querySelector("output");
  slider.addEventListener("input", () => { shown.value = slider.value; });
}

for (const form of document.querySelectorAll("form[data-sends-itself]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
