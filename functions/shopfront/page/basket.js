// basket.js: what is to be bought, kept in localStorage and so the same in every tab. What stands
// there may be of another version or another hand: it is read as such.

const LINES_MAX = 50;
const QUANTITY_MAX = 999;
const BASKET_KEY = "subito.basket";
const CUSTOMER_KEY = "subito.customer";
const CUSTOMERS = ["guest", "ada", "bob"];

// Where a browser forbids storage, this page keeps it as long as it is open.
const memory = new Map();
function readStored(key) {
  try {
    const text = localStorage.getItem(key);
    return JSON.parse(text === null ? memory.get(key) ?? "null" : text);
  } catch {
    return null;
  }
}
function store(key, value) {
  const text = JSON.stringify(value);
  try {
    localStorage.setItem(key, text);
  } catch {
    memory.set(key, text);
  }
}
function forget(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch { /* then it was never there */ }
}

const isCount = value => Number.isSafeInteger(value) && value >= 0;

function isLine(line) {
  return line !== null && typeof line === "object" && /^[\w-]{1,40}$/.test(line.id) &&
    typeof line.name === "string" && line.name.length <= 200 && isCount(line.price) &&
    isCount(line.quantity) && line.quantity >= 1 && line.quantity <= QUANTITY_MAX;
}

// [{id, name, price (minor units), quantity}], each product once.
function basketLines() {
  const stored = readStored(BASKET_KEY);
  if (!Array.isArray(stored)) return [];
  const seen = new Set();
  return stored.filter(line => isLine(line) && !seen.has(line.id) && seen.add(line.id))
    .slice(0, LINES_MAX);
}

// How many of it are there then; 0 when the basket is full.
function addToBasket(id, name, price) {
  const lines = basketLines();
  const line = lines.find(other => other.id === id);
  if (line) {
    line.quantity = Math.min(line.quantity + 1, QUANTITY_MAX);
    line.price = price;
  } else if (lines.length < LINES_MAX) {
    lines.push({ id, name, price, quantity: 1 });
  } else {
    return 0;
  }
  store(BASKET_KEY, lines);
  return line ? line.quantity : 1;
}

// A quantity of 0 removes it.
function setQuantity(id, quantity) {
  const lines = basketLines();
  for (const line of lines) if (line.id === id) line.quantity = Math.min(quantity, QUANTITY_MAX);
  store(BASKET_KEY, lines.filter(line => line.quantity >= 1));
}

// Whether it was another one before.
function setPrice(id, price) {
  const lines = basketLines();
  const line = lines.find(other => other.id === id);
  if (!line || line.price === price) return false;
  line.price = price;
  store(BASKET_KEY, lines);
  return true;
}

// What was bought leaves; what was added meanwhile stays.
function takeOut(bought) {
  const lines = basketLines();
  for (const { productId, quantity } of bought) {
    for (const line of lines) if (line.id === productId) line.quantity -= quantity;
  }
  store(BASKET_KEY, lines.filter(line => line.quantity >= 1));
}

const totalOf = lines => lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
const countOf = lines => lines.reduce((sum, line) => sum + line.quantity, 0);

function customer() {
  const stored = readStored(CUSTOMER_KEY);
  return CUSTOMERS.includes(stored) ? stored : CUSTOMERS[0];
}

