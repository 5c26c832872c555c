// orders.js: the orders of a customer, newest first, of checkout’s read model. It follows the orders
// by a moment: after one was placed it is asked until it has it.

const ORDERS_SHOWN = 5;
const LATE_MS = [150, 300, 600, 1200, 2400];

// {orders, next}, or null when they cannot be had now.
async function ordersOf(who, cursor) {
  const query = new URLSearchParams({ limit: ORDERS_SHOWN });
  if (cursor) query.set("cursor", cursor);
  const { status, body } = await ask("/customers/" + encodeURIComponent(who) + "/orders?" + query);
  if (status !== 200 || body === null || !Array.isArray(body.orders)) return null;
  return { orders: body.orders, next: typeof body.next === "string" ? body.next : null };
}

async function ordersWith(who, order) {
  for (const ms of LATE_MS) {
    const page = await ordersOf(who, null);
    if (page === null || page.orders.some(other => other.id === order)) return page;
    await new Promise(resolve => setTimeout(resolve, ms));
  }
  return ordersOf(who, null);
}

