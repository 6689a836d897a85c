// Live parts of a page: the server says what changed, the page asks for that part again.
//
// <… data-refresh="alert" data-url="…"> is replaced by what its URL answers whenever an alert
// changes. Without events (a proxy that holds them back, say) the page asks every 10 seconds.

const POLL_MS = 10_000;
const RETRY_MS = 5_000;
const LEAST_MS = { alert: 0, wearer: 2_000 };
const announcer = () => document.querySelector("[data-announce]");

function say(text) {
  const place = announcer();
  if (place) place.textContent = text;
}

function keyOfFocus(part) {
  const focused = document.activeElement;
  return part.contains(focused) ? focused.dataset.key || focused.id || null : null;
}

function alertsIn(part) {
  return new Map(
    [...part.querySelectorAll("[data-alert]")].map((item) => [item.dataset.alert, item]),
  );
}

function announceNew(before, after) {
  const fresh = [...after].filter(([id]) => !before.has(id)).map(([, item]) => item);
  if (fresh.length === 1) say(`New alert: ${fresh[0].dataset.summary}`);
  else if (fresh.length > 1) say(`${fresh.length} new alerts. First: ${fresh[0].dataset.summary}`);
}

async function tellSeen(part) {
  const unseen = [...part.querySelectorAll("[data-undelivered]")].map((item) => item.dataset.alert);
  const url = part.dataset.seenUrl;
  // A hidden page shows nobody anything, so that it delivers nothing.
  if (!url || unseen.length === 0 || document.visibilityState !== "visible") return;
  const body = new FormData();
  unseen.forEach((id) => body.append("alert", id));
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token } }).catch(() => {});
}

async function refresh(part) {
  const answer = await fetch(part.dataset.url, {
    headers: { "X-Requested-With": "fetch" },
    credentials: "same-origin",
  });
  if (answer.redirected || answer.status === 403) {
    // Signed out meanwhile: the sign-in page belongs to the whole page.
    window.location.reload();
    return;
  }
  if (!answer.ok) throw new Error(`refresh answered ${answer.status}`);
  const before = alertsIn(part);
  const key = keyOfFocus(part);
  part.innerHTML = await answer.text();
  if (key) part.querySelector(`[data-key="${CSS.escape(key)}"], #${CSS.escape(key)}`)?.focus();
  announceNew(before, alertsIn(part));
  part.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
  await tellSeen(part);
}

// One request at a time for a part; changes meanwhile lead to one more, never to a pile.
function refresher(part) {
  let busy = false;
  let again = false;
  let last = 0;
  const least = LEAST_MS[part.dataset.refresh] ?? 0;
  return async function run() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const wait = last + least - Date.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    again = false;
    try {
      await refresh(part);
    } catch {
      again = false; // The next change or poll asks again.
    }
    last = Date.now();
    busy = false;
    if (again) run();
  };
}

function showConnection(live) {
  for (const place of document.querySelectorAll("[data-connection]")) {
    const text = live ? place.dataset.live : place.dataset.lost;
    if (place.textContent !== text) place.textContent = text;
  }
}

function noticeChangeOf(changes) {
  for (const banner of document.querySelectorAll("[data-watch]")) {
    if (changes.some((change) => change.ref === banner.dataset.watch)) banner.hidden = false;
  }
}

export function startLive() {
  const source = document.querySelector("[data-events]");
  if (!source) return;
  const parts = [...document.querySelectorAll("[data-refresh]")];
  const runs = parts.map((part) => [part.dataset.refresh, refresher(part)]);
  const runAll = () => runs.forEach(([, run]) => run());
  parts.forEach((part) => tellSeen(part));

  let connected = false;
  let events = null;
  let lastId = "";
  function connect() {
    const url = new URL(source.dataset.events, window.location.href);
    if (lastId) url.searchParams.set("after", lastId);
    events = new EventSource(url);
    events.addEventListener("open", () => {
      connected = true;
      showConnection(true);
    });
    events.addEventListener("error", () => {
      connected = false;
      showConnection(false);
      // After a broken line the browser connects again by itself; after a refusal (a proxy's
      // 502, say) it gives up, so that the page has to try.
      if (events.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    });
    events.addEventListener("changes", (event) => {
      lastId = event.lastEventId;
      const changes = JSON.parse(event.data);
      const topics = new Set(changes.map((change) => change.topic));
      runs.filter(([topic]) => topics.has(topic)).forEach(([, run]) => run());
      noticeChangeOf(changes);
    });
  }
  connect();
  // Ages grow with nothing arriving, so the parts are asked for now and then in any case.
  let ticks = 0;
  setInterval(() => {
    ticks += 1;
    if (!connected || ticks % 3 === 0) runAll();
  }, POLL_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") runAll();
  });
  window.addEventListener("pagehide", () => events.close());
}
