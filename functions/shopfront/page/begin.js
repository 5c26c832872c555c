// begin.js: what people do is wired to what the page does, and the page is shown as it is now.

$("products").addEventListener("click", event => {
  const card = event.target.closest(".add")?.closest(".card");
  if (!card) return;
  if (busy) return say("Your order is being placed: wait a moment");
  const { id, name, price } = card.dataset;
  const count = addToBasket(id, name, Number(price));
  if (!levels.has(id)) levels.set(id, card.dataset.available === "" ? null
    : Number(card.dataset.available));
  if ($("message").classList.contains("good")) {
    hideMessage();
    showStep("");
  }
  showBasket();
  say(count > 0 ? name + " is in your basket, " + pieces(count)
    : "Your basket is full: " + LINES_MAX + " products");
});

$("lines").addEventListener("click", event => {
  const item = event.target.closest(".line");
  const button = event.target.closest("button");
  if (!item || !button) return;
  const line = basketLines().find(other => other.id === item.dataset.id);
  if (!line) return showBasket();
  if (button.matches(".remove")) return changeQuantity(item, 0);
  const quantity = line.quantity + (button.matches(".less") ? -1 : 1);
  item.querySelector("input").value = Math.min(quantity, QUANTITY_MAX);
  changeQuantity(item, Math.min(quantity, QUANTITY_MAX));
});

$("lines").addEventListener("change", event => {
  const item = event.target.closest(".line");
  const wanted = Math.floor(Number(event.target.value));
  const quantity = Math.min(Math.max(Number.isFinite(wanted) ? wanted : 1, 1), QUANTITY_MAX);
  event.target.value = quantity;
  changeQuantity(item, quantity);
});

// Enter in a quantity means that quantity, not an order.
$("lines").addEventListener("keydown", event => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
});

$("customers").addEventListener("change", event => chooseCustomer(event.target.value));
$("order-form").addEventListener("submit", event => {
  event.preventDefault();
  order();
});
$("history-more").addEventListener("click", showOlderOrders);
for (const link of document.querySelectorAll("a[href='#basket']")) {
  link.addEventListener("click", () => setTimeout(() => $("basket-title").focus()));
}

new IntersectionObserver(entries => {
  basketSeen = entries.at(-1).isIntersecting;
  $("bar").hidden = basketSeen || countOf(basketLines()) === 0;
}).observe($("basket"));

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refreshStock();
});
// Another tab changed something.
addEventListener("storage", event => {
  const attempt = currentAttempt();
  if (event.key === ATTEMPT_KEY && attempt && !busy) return carryOn(attempt);
  if (stuck && !attempt) {
    stuck = busy = false;
    hideMessage();
    refreshStock();
    showOrders();
  }
  showBasket();
  if (event.key === CUSTOMER_KEY) showOrders();
});

for (const card of cards()) {
  names.set(card.dataset.id, card.dataset.name);
  const { id, available } = card.dataset;
  levels.set(id, available === "" ? null : Number(available));
}
// What is in the basket and not on this page is asked for; until then it is not called gone.
const unseen = basketLines().filter(line => !levels.has(line.id));
for (const line of unseen) levels.set(line.id, null);
showBasket();
document.documentElement.classList.add("scripted");
if (unseen.length > 0) refreshStock();
const [navigation] = performance.getEntriesByType("navigation");
$("page-timing").textContent = timingWords(navigation?.serverTiming ?? []);
const unfinished = currentAttempt();
if (!unfinished) showOrders();
else if (isTooOld(unfinished) || isYounger(unfinished, UNASKED_MS_MAX)) carryOn(unfinished);
else showUnfinished(unfinished);
