// What the page needs beside htmx: the key on every request, JSON bodies, the dialog, the composer and the scroller.
"use strict";

const KEY = "doorkey-key";
const $ = (selector, root = document) => root.querySelector(selector);

// ---- The key: kept by this tab alone, handed to other tabs of the same browser and port, sent with every request.

const channel = new BroadcastChannel("doorkey");
channel.onmessage = ({ data }) => {
  const own = sessionStorage.getItem(KEY);
  if (data.ask && own) channel.postMessage({ key: own });
  if (data.key && data.key !== own) {
    sessionStorage.setItem(KEY, data.key);
    location.reload();
  }
};

const showMissingKey = () => $("#no-key")?.removeAttribute("hidden");

function askForKey() {
  channel.postMessage({ ask: true });
  setTimeout(showMissingKey, 400);
}

// What would be refused without the key is not even asked for; once the key has come the page loads anew.
document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  const key = sessionStorage.getItem(KEY);
  if (key) request.headers["X-Doorkey-Key"] = key;
  else if (request.method !== "GET" || event.target.matches("[hx-sse\\:connect]")) event.preventDefault();
});

// The server takes JSON only: a form of another page cannot send that without asking first.
document.addEventListener("htmx:before:request", ({ detail }) => {
  const { request } = detail.ctx;
  if (request.method === "GET" || request.method === "DELETE") return;
  request.headers["Content-Type"] = "application/json";
  request.body = JSON.stringify(Object.fromEntries(request.body ?? []));
});

// ---- The dialog: opens when something is put into it, and keeps the focus while that changes; leaving it ends a
// sign-in that still waits.

function closeDialog() {
  $("#dialog").close();
}

function leaveDialog() {
  const attempt = $("#dialog [data-attempt]");
  if (attempt) htmx.trigger(attempt, "abandon");
  $("#dialog-body").replaceChildren();
}

document.addEventListener("htmx:after:swap", () => {
  const dialog = $("#dialog");
  if (!dialog || !$("#dialog-body").childElementCount) return;
  if (!dialog.open) dialog.showModal();
  else if (!dialog.contains(document.activeElement)) ($("[autofocus]", dialog) ?? $("[data-close]", dialog))?.focus();
});

document.addEventListener("dialog-done", () => {
  $("#dialog-body").replaceChildren();
  closeDialog();
});

// ---- The keyboard: when what had the focus is replaced, it goes on where one would type next, or at the page's start.

const hand = { last: null, onKeys: false };

document.addEventListener("focusin", ({ target }) => (hand.last = target));
document.addEventListener("keydown", () => (hand.onKeys = true), true);
document.addEventListener("pointerdown", () => (hand.onKeys = false), true);

document.addEventListener("htmx:after:swap", () => {
  if (hand.last?.isConnected !== false || document.activeElement !== document.body) return;
  hand.last = null;
  // After a tap the focus would only bring up the keyboard of a phone.
  if (hand.onKeys && !$("#dialog")?.open) ($("#prompt") ?? $("#main"))?.focus({ preventScroll: true });
});

// ---- Clicks on things that need no server.

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const label = $("span", button) ?? button;
  const before = label.textContent;
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = before), 1200);
}

document.addEventListener("click", ({ target }) => {
  const at = (selector) => target.closest(selector);
  if (at("[data-close]")) closeDialog();
  if (at("[data-dismiss]")) at(".toast").remove();
  if (at("[data-toggle]")) document.body.classList.toggle(at("[data-toggle]").dataset.toggle);
  if (at("[data-copy]")) copy(at("[data-copy]"), $(at("[data-copy]").dataset.copy).value);
  if (at(".copy")) copy(at(".copy"), $("pre", at(".code")).textContent);
  if (at("#to-end")) toEnd();
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("animationend", ({ target, animationName }) => animationName === "leave" && target.remove());

// ---- What ends by itself says how soon.

function showTimeLeft() {
  for (const left of document.querySelectorAll("[data-ends]")) {
    const seconds = Math.max(0, Math.round((new Date(left.dataset.ends) - Date.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

setInterval(showTimeLeft, 1000);
document.addEventListener("htmx:after:swap", showTimeLeft);

document.addEventListener("toggle", ({ target }) => target.open && $("[data-focus]", target)?.select(), true);

// ---- Keys: Enter sends, Shift+Enter makes a line; Escape closes a menu.

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key === "Escape") {
    const menu = $("details.menu[open]");
    if (menu) {
      menu.open = false;
      $("summary", menu).focus();
    }
    document.body.classList.remove("nav-open");
  }
  if (key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (target.id === "prompt") {
    event.preventDefault();
    if ($("#action [type=submit]") && target.value.trim()) target.form.requestSubmit();
  } else if (target.dataset.enter) {
    event.preventDefault();
    $(target.dataset.enter).click();
  }
});

// ---- Filters: a search field hides what has none of its words.

function filter(field) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll(field.dataset.filter)) {
    item.hidden = !words.every((word) => item.dataset.words.includes(word));
  }
}

// Also over what was typed before this script ran, and over what has come since.
const filterAll = () => [...document.querySelectorAll("[data-filter]")].filter((field) => field.value).forEach(filter);

filterAll();
document.addEventListener("htmx:after:swap", filterAll);
document.addEventListener("input", ({ target }) => {
  if (target.dataset.filter) filter(target);
  if (target.id === "prompt") keepDraft(target);
});

// ---- The passphrase: after a wrong one the button says how long the next has to wait.

function holdBack(button, seconds, label) {
  button.disabled = seconds > 0;
  button.textContent = seconds > 0 ? `${label} in ${seconds} s` : label;
  if (seconds > 0) setTimeout(holdBack, 1000, button, seconds - 1, label);
}

document.addEventListener("htmx:after:swap", () => {
  const note = $("#unlock [data-wait]");
  const field = $("#passphrase");
  if (!note) return;
  const wait = Number(note.dataset.wait);
  note.removeAttribute("data-wait");
  field.select();
  holdBack($("#unlock [type=submit]"), wait, "Open");
});

// ---- The bar: an answer may have shown that its account is signed out or used up.

document.addEventListener("htmx:sse:close", () => htmx.trigger(document.body, "answer-ended"));

// ---- The composer: grows with its text, and keeps what is typed until it was taken.

const draftName = () => `draft:${location.pathname}`;

function fit(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function keepDraft(field) {
  fit(field);
  sessionStorage.setItem(draftName(), field.value);
}

document.addEventListener("htmx:after:request", ({ detail }) => {
  const { sourceElement, response } = detail.ctx;
  if (sourceElement.id !== "composer" || response.status >= 400) return;
  const field = $("#prompt");
  field.value = "";
  keepDraft(field);
  toEnd();
});

// ---- The scroller: follows a growing answer for as long as the reader stays at its end.

const reader = { follows: true };

function toEnd() {
  const scroller = $("#scroller");
  reader.follows = true;
  scroller.scrollTop = scroller.scrollHeight;
}

function watchScroller(scroller) {
  const far = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight > 80;
  let top = 0;
  // Only who scrolls up has left the end: an answer may have grown between our own scrolling and the news of it.
  scroller.addEventListener("scroll", () => {
    if (!far()) reader.follows = true;
    else if (scroller.scrollTop < top) reader.follows = false;
    top = scroller.scrollTop;
    $("#to-end").hidden = reader.follows;
  });
  const growth = new ResizeObserver(() => reader.follows && toEnd());
  growth.observe($("#turns"));
  growth.observe(scroller);
  toEnd();
}

document.addEventListener("DOMContentLoaded", () => {
  if (!sessionStorage.getItem(KEY)) askForKey();
  $("#dialog")?.addEventListener("close", leaveDialog);
  const field = $("#prompt");
  if (field) {
    field.value ||= sessionStorage.getItem(draftName()) ?? "";
    fit(field);
  }
  if ($("#scroller")) watchScroller($("#scroller"));
});
