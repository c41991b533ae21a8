// What scripts add. Every journey works without them, as links and forms.
import { initAll } from "./govuk-frontend.min.js";

initAll();

const form = document.querySelector("form[data-live]");
if (form) refreshOnChange(form);
if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach(offerCopy);

// Filters and sorting act at once: the page at the new address is fetched, and its live parts take the place of ours.
function refreshOnChange(form) {
  let shown = location.search;
  let underWay;

  const refresh = async (address) => {
    underWay?.abort(); // a newer change makes the older answer worthless
    underWay = new AbortController();
    const answer = await fetch(address, { signal: underWay.signal });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    replaceLiveParts(page);
    document.title = page.title;
    document.getElementById("announcement").textContent = page.getElementById("announcement").dataset.announce;
    history.pushState({}, "", address);
    shown = location.search;
  };

  // controls outside the form belong to it by their form attribute
  document.addEventListener("change", ({ target }) => {
    if (target.form !== form || target.id === "q") return;
    const said = [...new FormData(form)].filter(([, value]) => value);
    refresh(`${form.action}?${new URLSearchParams(said)}`).catch((error) => error.name === "AbortError" || form.submit());
  });
  // links within the page fire popstate too: go back only when the search has changed
  addEventListener("popstate", () => location.search !== shown && location.reload());
}

function replaceLiveParts(page) {
  const focused = document.activeElement?.id;
  const unfolded = [...document.querySelectorAll("[data-live-part] details[open]")].map((details) => details.id);
  document.querySelectorAll("[data-live-part]").forEach((part) => part.replaceWith(page.getElementById(part.id)));
  unfolded.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function offerCopy(words) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
  button.className = "govuk-button govuk-button--secondary";
  const done = document.createElement("span");
  done.className = "govuk-body-s govuk-!-margin-left-2";
  done.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(words.innerText);
    done.textContent = "Copied";
  });
  words.after(button, done);
}
