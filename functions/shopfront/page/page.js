// page.js: the page itself. Texts go in as text, never as HTML.

const $ = id => document.getElementById(id);
const cards = () => [...document.querySelectorAll(".card")];
const cardOf = id => cards().find(card => card.dataset.id === id);
const say = text => { $("said").textContent = text; };
const plural = (count, one, many) => count === 1 ? one : many;

let names = new Map();  // product id -> name, of all that was seen
let levels = new Map(); // product id -> pieces or null, as last heard; none: not sold any more
let shownTotal = 0;     // what the button says, minor units
let busy = false;       // an attempt is on its way, here or in another tab
let stuck = false;      // and nobody asks how it goes
let basketSeen = false; // a phone's bar need not lead to it

// The stock, live.

function showStock(card, available) {
  const { state, words } = stockWords(available);
  card.dataset.available = available ?? "";
  const stock = card.querySelector(".stock");
  stock.dataset.stock = state;
  if (stock.textContent !== words) stock.textContent = words;
  card.querySelector(".add").disabled = state === "none";
}

function takeStock(offers) {
  for (const offer of offers) {
    const price = Math.round(offer.price * 100);
    names.set(offer.id, offer.name);
    levels.set(offer.id, offer.amountAvailable);
    setPrice(offer.id, price);
    const card = cardOf(offer.id);
    if (!card) continue;
    showStock(card, offer.amountAvailable);
    card.dataset.price = price;
    card.querySelector(".price").textContent = money(price);
  }
  $("degraded").hidden = !offers.some(offer => offer.degraded);
}

// Whether the shop told.
async function refreshStock() {
  const ids = new Set([...basketLines().map(line => line.id), ...cards().map(c => c.dataset.id)]);
  if (ids.size === 0) return true;
  const { status, body } = await ask("/products?ids=" + [...ids].slice(0, 100).join(","));
  if (status !== 200 || !Array.isArray(body)) return false;
  levels = new Map();
  takeStock(body);
  showBasket();
  return true;
}

// The basket.

// What of a line cannot be had, in words, or "".
function troubleOf(line) {
  if (!levels.has(line.id)) return "Not sold any more: remove it.";
  const available = levels.get(line.id);
  if (available === null || line.quantity <= available) return "";
  return available <= 0 ? "Sold out: remove it." : "Only " + available + " left: take fewer.";
}

function fillLine(item, line) {
  const name = line.name;
  item.dataset.id = line.id;
  item.querySelector(".line-name").textContent = name;
  item.querySelector(".line-sum").textContent = money(line.price * line.quantity);
  const input = item.querySelector("input");
  if (document.activeElement !== input) input.value = line.quantity;
  item.querySelector("label .quiet").textContent = "Pieces of " + name;
  item.querySelector(".less .quiet").textContent = "One " + name + " less";
  item.querySelector(".more-of .quiet").textContent = "One " + name + " more";
  item.querySelector(".remove .quiet").textContent = ": " + name;
  const trouble = item.querySelector(".line-trouble");
  trouble.textContent = levels.size > 0 ? troubleOf(line) : "";
  trouble.hidden = trouble.textContent === "";
  if (trouble.hidden) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  } else {
    trouble.id = "trouble-" + line.id;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", trouble.id);
  }
  for (const control of item.querySelectorAll("button, input")) control.disabled = busy;
}

// Rows that stay are the same elements, so that the focus stays.
function showBasket() {
  const lines = basketLines();
  const list = $("lines");
  for (const item of [...list.children]) {
    if (!lines.some(line => line.id === item.dataset.id)) item.remove();
  }
  lines.forEach((line, at) => {
    let item = [...list.children].find(other => other.dataset.id === line.id);
    if (!item) item = $("line-template").content.firstElementChild.cloneNode(true);
    fillLine(item, line);
    if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
  });
  const count = countOf(lines);
  shownTotal = totalOf(lines);
  const total = money(shownTotal);
  $("order-form").hidden = lines.length === 0;
  $("empty").hidden = lines.length > 0;
  $("count").textContent = count;
  $("total").textContent = total;
  $("order").disabled = busy;
  $("order").textContent = stuck ? "An order waits" : busy ? "Ordering…" : "Order for " + total;
  $("bar").hidden = count === 0 || basketSeen;
  $("bar-count").textContent = "Basket: " + pieces(count);
  $("bar-total").textContent = total;
  for (const radio of document.querySelectorAll("input[name=customer]")) {
    radio.checked = radio.value === customer();
    radio.disabled = busy;
  }
}

function changeQuantity(item, quantity) {
  const id = item.dataset.id;
  const name = item.querySelector(".line-name").textContent;
  const rows = [...$("lines").children];
  const next = rows[rows.indexOf(item) + 1] ?? rows[rows.indexOf(item) - 1];
  setQuantity(id, quantity);
  showBasket();
  if (quantity >= 1) return say(name + ": " + quantity + ", in all " + $("total").textContent);
  // The focus was in a row that has gone.
  say(name + " removed");
  (next?.querySelector(".remove") ?? $("basket-title")).focus();
}

// Messages: one at a time, with what can be done.

function hideMessage() { $("message").hidden = true; }

function showMessage(kind, title, text, actions) {
  $("message").className = "message " + kind;
  $("message-title").textContent = title;
  $("message-text").textContent = text;
  $("message-actions").replaceChildren(...actions.map(([words, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.addEventListener("click", act);
    return button;
  }));
  $("message").hidden = false;
  $("message").focus();
  $("message").scrollIntoView({ block: "nearest" });
}

function takeWhatIsLeft() {
  for (const line of basketLines()) {
    const available = levels.has(line.id) ? levels.get(line.id) : 0;
    if (available !== null && line.quantity > available) setQuantity(line.id, available);
  }
  hideMessage();
  showBasket();
  say("Your basket holds what is left: " + pieces(countOf(basketLines())));
  (basketLines().length > 0 ? $("order") : $("basket-title")).focus();
}

function chooseCustomer(who) {
  store(CUSTOMER_KEY, who);
  showBasket();
  showOrders();
}

// The new price is ordered by a click that has seen it.
function offerNewTotal({ attempt, found, told }) {
  const basket = ["Back to the basket", () => {
    hideMessage();
    $("basket-title").focus();
  }];
  if (basketLines().length === 0) return [basket];
  if (!told) return [["Look what it is now", () => showRefused(attempt, found)], basket];
  return [["Order for " + money(shownTotal), () => order()], basket];
}

const HELP = {
  "new-total": offerNewTotal,
  "take-what-is-left": () => [["Take what is left", takeWhatIsLeft]],
  "other-customer": () => CUSTOMERS.filter(who => who !== customer()).map(who =>
    ["Let " + who + " pay", () => {
      hideMessage();
      chooseCustomer(who);
      $("order").focus();
    }]),
  again: () => [["Order again", () => order()]],
  basket: () => [["Back to the basket", () => {
    hideMessage();
    $("basket-title").focus();
  }]],
};

// Ordering.

function showStep(status) {
  const at = STEPS.indexOf(status);
  $("progress").hidden = at < 0;
  for (const item of $("steps").children) {
    const place = STEPS.indexOf(item.dataset.step);
    item.dataset.state = place < at || status === "COMPLETED" ? "past" : place === at ? "now" : "";
    if (place === at) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
  tellProgress(STEP_WORDS[status] ?? "");
}

function tellProgress(text) {
  if ($("progress-text").textContent !== text) $("progress-text").textContent = text;
}

function showDone(attempt, done, begun) {
  showStep("COMPLETED");
  const quick = begun ? " Done in " + Math.round(performance.now() - begun) + " ms." : "";
  const count = countOf(attempt.lines);
  showMessage("good", "Thank you, that is yours",
    pieces(count) + " for " + money(done.order.totalMinor) + ", paid by " + attempt.customer + "." +
    quick + " Order " + done.order.id + ".",
    [["Look at more products", () => {
      hideMessage();
      showStep("");
      $("products").focus();
    }]]);
}

async function showRefused(attempt, found) {
  showStep("");
  const told = await refreshStock();
  const { title, text, help } = refusalWords(found.type, found.detail, attempt);
  showMessage("bad", title, text, HELP[help]({ attempt, found, told }));
}

const showingOrders = attempt => [["Show my orders", () => {
  hideMessage();
  chooseCustomer(attempt.customer);
  $("history").scrollIntoView();
  $("history-title").focus();
}]];

// Nothing is ordered until somebody says so.
function askWhether(attempt, title, text) {
  stuck = true;
  setBusy(true);
  showStep("");
  showMessage("bad", title, text + " It may be under way or not: ask again, that does not order " +
    "twice. Your basket waits until then.",
    [["Ask again", () => carryOn(attempt)],
      ["Stop asking", () => {
        endAttempt(attempt);
        stuck = false;
        setBusy(false);
        showMessage("bad", "You stopped asking", "The order may still be completed. Look whether " +
          "it is among your orders before you order again.", showingOrders(attempt));
      }]]);
}

function showUnfinished(attempt) {
  askWhether(attempt, "An order of yours is not finished",
    "You ordered " + pieces(countOf(attempt.lines)) + ", " + timeWords(attempt.time) +
    ", and no answer came.");
  showOrders();
}

function showTooOld(attempt) {
  showStep("");
  showMessage("bad", "An order of yours was never answered", "You placed it more than 23 hours ago. " +
    "To ask again could order twice, so nothing was asked. Look whether it is among your orders; " +
    "your basket is kept.", showingOrders(attempt));
}

function setBusy(value) {
  busy = value;
  showBasket();
}

// One tab at a time asks for an order; where there are no locks all do, which is the same to it.
const alone = task => navigator.locks ? navigator.locks.request("subito-order", task) : task();

async function toItsEnd(attempt) {
  // It may have ended in another tab while this one waited.
  if (currentAttempt()?.key !== attempt.key) return { kind: "elsewhere" };
  const found = await followAttempt(attempt,
    { step: showStep, wait: (why, wait) => tellProgress(waitWords(why, wait)) });
  if (found.kind !== "stuck" && endAttempt(attempt) && found.kind === "done") {
    takeOut(attempt.lines);
  }
  return found;
}

// `begun`: when it was clicked, if it was here.
async function carryOn(attempt, begun) {
  stuck = false;
  hideMessage();
  setBusy(true);
  showStep("NEW");
  const found = await alone(() => toItsEnd(attempt));
  if (found.kind === "stuck") {
    return askWhether(attempt, "The shop has not answered yet", "You ordered, and no answer came.");
  }
  setBusy(false);
  if (found.kind === "elsewhere") {
    showStep("");
    tellProgress("That order was ended in another tab: it is among your orders.");
    await refreshStock();
  } else if (found.kind === "done") {
    showDone(attempt, found, begun);
    refreshStock();
  } else if (found.kind === "old") {
    showTooOld(attempt);
  } else {
    await showRefused(attempt, found);
  }
  showOrders(found.order?.id);
}

async function order() {
  if (busy || basketLines().length === 0) return;
  const begun = performance.now();
  const total = shownTotal;
  setBusy(true);
  const attempt = await alone(() => beginAttempt(total));
  if (attempt) return carryOn(attempt, begun);
  setBusy(false);  // another tab has bought it all
}

// The orders of before.

let shownCustomer = "";
let nextOrders = null;

function pastOrder(past) {
  const item = $("order-template").content.firstElementChild.cloneNode(true);
  const badge = item.querySelector(".badge");
  badge.textContent = STATUS_WORDS[past.status] ?? past.status;
  badge.dataset.status = past.status;
  const total = Number.isSafeInteger(past.totalMinor) ? money(past.totalMinor) : "";
  item.querySelector(".past-total").textContent = total;
  const lines = Array.isArray(past.lines) ? past.lines : [];
  item.querySelector(".past-lines").textContent = lines.map(line =>
    line.quantity + " × " + (names.get(line.productId) ?? "product " + line.productId)).join(", ");
  const why = past.reason ? past.reason.replaceAll("-", " ") : "";
  item.querySelector(".past-id").textContent =
    [why, timeWords(past.placedAt), past.id].filter(words => words).join(" · ");
  return item;
}

async function showOrders(until) {
  const who = customer();
  shownCustomer = who;
  $("history-customer").textContent = who;
  const page = until ? await ordersWith(who, until) : await ordersOf(who, null);
  if (shownCustomer !== who || customer() !== who) return;
  const found = page?.orders ?? [];
  $("orders").replaceChildren(...found.map(pastOrder));
  $("history-text").textContent = page === null ? "They cannot be shown right now."
    : found.length === 0 ? "None yet." : "";
  $("history-text").hidden = found.length > 0;
  nextOrders = page?.next ?? null;
  $("history-more").hidden = nextOrders === null;
}

async function showOlderOrders() {
  const who = shownCustomer;
  const page = await ordersOf(who, nextOrders);
  if (page === null || shownCustomer !== who) return say("Older orders cannot be shown right now");
  const items = page.orders.map(pastOrder);
  $("orders").append(...items);
  nextOrders = page.next;
  $("history-more").hidden = nextOrders === null;
  say(items.length + " older " + plural(items.length, "order", "orders"));
  if (items.length > 0) {
    items[0].tabIndex = -1;
    items[0].focus();
  }
}

