// attempt.js: one order from the click to its end. An attempt is {key, customer, lines, total,
// time, order} and stays in localStorage until an answer is final: whatever fails on the way, a
// reload, or another tab goes on with the same Idempotency-Key, so that nothing is bought twice.
// `total` is what the button said, and nothing is bought at another one.

const ATTEMPT_KEY = "subito.attempt";
// Checkout keeps an answer for a day. After that the key would order anew, so it is used no more.
const ATTEMPT_MS_MAX = 23 * 3600 * 1000;
const UNASKED_MS_MAX = 5 * 60 * 1000;  // older than that it goes on when somebody says so
const TRIES_MAX = 8;             // in a row without an answer; then people are asked
const TRY_MS_MIN = 500;
const TRY_MS_MAX = 8000;
const POLL_MS = [60, 120, 240, 400, 700, 1000, 1500, 2000];
const POLLS_MAX = 40;            // a minute and a bit
const POLLS_TO_PUSH = 8;         // six seconds: then it is asked for as one who waits for it
const ANSWER_MS_MAX = 15000;

const randomKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)),
  word => word.toString(16).padStart(8, "0")).join("");

function currentAttempt() {
  const stored = readStored(ATTEMPT_KEY);
  const good = stored && typeof stored.key === "string" && CUSTOMERS.includes(stored.customer) &&
    Array.isArray(stored.lines);
  if (!good) return null;
  if (!isCount(stored.time)) stored.time = 0;
  if (!isCount(stored.total)) stored.total = null;  // not told, then: an older page's
  return stored;
}

// A clock that was set back tells no age.
function isYounger(attempt, ms) {
  const age = Date.now() - attempt.time;
  return age > -60000 && age < ms;
}
const isTooOld = attempt => !isYounger(attempt, ATTEMPT_MS_MAX);

// The attempt that runs, or a new one of the basket; null when that is empty.
function beginAttempt(total) {
  const running = currentAttempt();
  if (running) return running;
  const lines = basketLines().map(({ id, quantity }) => ({ productId: id, quantity }));
  if (lines.length === 0) return null;
  const attempt = { key: randomKey(), customer: customer(), lines, total, time: Date.now(),
    order: null };
  store(ATTEMPT_KEY, attempt);
  return attempt;
}

// The order that the key is known to be of; null: ask by the key.
function keepOrder(attempt, id) {
  attempt.order = id;
  if (currentAttempt()?.key === attempt.key) store(ATTEMPT_KEY, attempt);
}

// Whether it was this one that ran: another tab may have ended it.
function endAttempt(attempt) {
  if (currentAttempt()?.key !== attempt.key) return false;
  forget(ATTEMPT_KEY);
  return true;
}

// Never throws: {status: 0} is no answer.
async function ask(path, options = {}) {
  try {
    const answer = await fetch(path, { ...options, cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await answer.text();
    let body = null;
    try {
      body = JSON.parse(text);
    } catch { /* a proxy's page, say */ }
    const after = Number(answer.headers.get("retry-after"));
    return { status: answer.status, body, retryAfter: after > 0 && after < 3600 ? after : 0 };
  } catch {
    return { status: 0, body: null, retryAfter: 0 };
  }
}

// `prefer`: "respond-async" comes back at once, "wait=10" when the order is final.
const post = (attempt, prefer) => ask("/orders", { method: "POST",
  headers: { "Content-Type": "application/json", "Idempotency-Key": attempt.key, Prefer: prefer },
  body: JSON.stringify({ customer: attempt.customer, lines: attempt.lines,
    expectedTotalMinor: attempt.total }) });

// What an answer means: {kind: "done", order}, {kind: "refused", type, detail}, {kind: "open",
// order} (ask how it goes), {kind: "again", why} (nothing is known: ask the same again; `free`: by
// the key, which may be of another order by now).
function judge({ status, body }) {
  if (status === 0) return { kind: "again", why: "network" };
  const isOrder = body !== null && typeof body.id === "string" && body.status in STEP_WORDS;
  if (status < 300 && isOrder) {
    if (body.status === "COMPLETED") return { kind: "done", order: body };
    if (body.status !== "CANCELLED") return { kind: "open", order: body };
    if (body.reason === "unavailable") return { kind: "again", why: "away", free: true };
    return { kind: "refused", type: body.reason ?? "cancelled", detail: "", order: body };
  }
  const type = body !== null && typeof body.type === "string" ? body.type : "";
  if (status === 409 && type === "order-in-flight") return { kind: "again", why: "in-flight" };
  if (status === 429) return { kind: "again", why: "busy" };
  if (status < 400 || status >= 500 || status === 408 || status === 425) {
    return { kind: "again", why: "away" };
  }
  return { kind: "refused", type: type || "status " + status,
    detail: body !== null && typeof body.detail === "string" ? body.detail : "" };
}

// Ends the wait for the next try: the network is back, somebody does not want to wait.
let hurry = () => {};
const pause = ms => new Promise(resolve => {
  const timer = setTimeout(resolve, ms);
  hurry = () => {
    clearTimeout(timer);
    resolve();
  };
});
addEventListener("online", () => hurry());

// Asks until there is an end or nobody answers any more. `tell` is {step(status), wait(why, s)}.
// The judgement that ended it: "done", "refused", "stuck", or "old": it may not be asked for again.
async function followAttempt(attempt, tell) {
  let polls = 0;
  for (let tries = 0; tries < TRIES_MAX && polls < POLLS_MAX;) {
    const asked = attempt.order;
    const old = isTooOld(attempt);
    if (old && !asked) return { kind: "old" };
    const push = asked && !old && polls > 0 && polls % POLLS_TO_PUSH === 0;
    const answer = !asked ? await post(attempt, "respond-async")
      : push ? await post(attempt, "wait=10") : await ask("/orders/" + encodeURIComponent(asked));
    if (push) ++polls;
    const lost = asked && !push && answer.status === 404;
    const found = lost ? { kind: "again", why: "in-flight", free: true } : judge(answer);
    if (found.free) keepOrder(attempt, null);
    if (found.kind === "done" || found.kind === "refused") return found;
    if (found.kind === "open") {
      tries = 0;
      if (asked !== found.order.id) keepOrder(attempt, found.order.id);
      tell.step(found.order.status);
      await pause(POLL_MS[Math.min(polls++, POLL_MS.length - 1)]);
      continue;
    }
    const backoff = Math.min(TRY_MS_MIN * 2 ** tries++, TRY_MS_MAX);
    const wait = Math.max(backoff * (0.75 + Math.random() / 2), answer.retryAfter * 1000);
    tell.wait(found.why, wait / 1000);
    await pause(wait);
  }
  return { kind: "stuck" };
}

