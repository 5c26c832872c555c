// words.js: what the shop says to people, made of what it answers. Pure.
"use strict";

const money = minor => "£" + Math.floor(minor / 100) + "." + String(minor % 100).padStart(2, "0");
const pieces = count => count === 1 ? "1 piece" : count + " pieces";
const seconds = count => count === 1 ? "1 second" : count + " seconds";

const FEW_PIECES = 3;

// As page.cc says it. `available`: a number, or null when it is not known.
function stockWords(available) {
  if (available === null) return { state: "unknown", words: "Stock not known right now" };
  if (available <= 0) return { state: "none", words: "Sold out" };
  if (available <= FEW_PIECES) return { state: "few", words: "Only " + available + " left" };
  return { state: "some", words: available + " in stock" };
}

// The order's states, the first four in their order.
const STEPS = ["NEW", "RESERVED", "AUTHORISED", "COMPLETED"];
const STEP_WORDS = {
  NEW: "Your order is placed. Looking whether everything is there…",
  RESERVED: "The pieces are set aside for you. Asking for the credit…",
  AUTHORISED: "The credit covers it. Finishing…",
  COMPLETED: "Your order is complete.",
  CANCELLED: "The order was cancelled.",
};
const STATUS_WORDS = {
  NEW: "In progress", RESERVED: "In progress", AUTHORISED: "In progress",
  COMPLETED: "Complete", CANCELLED: "Cancelled",
};

// Why an answer is still awaited. `wait`: seconds until the shop is asked again.
function waitWords(why, wait) {
  const next = " Trying again in " + seconds(Math.max(1, Math.round(wait))) +
    "; you will not be charged twice.";
  if (why === "network") return "The shop cannot be reached." + next;
  if (why === "busy") return "The shop is busy." + next;
  if (why === "in-flight") return "Your order is being placed…";
  return "A part of the shop does not answer." + next;
}

// Why an order was not placed, for good: {title, text, help}. `type` is that of the problem, or the
// reason of a cancelled order; `help` is what page.js offers to do about it. `total`: what the
// button said, in minor units, if it is known.
function refusalWords(type, detail, { customer, total }) {
  const nothing = " Nothing was charged.";
  switch (type) {
    case "out-of-stock":
      return { title: "Not enough is left", help: "take-what-is-left",
        text: "Somebody was quicker. Change what is marked below, then order again." + nothing };
    case "price-changed":
      return { title: "The price has changed", help: "new-total",
        text: "You were asked for " + money(total) + ", which is not the price any more." + nothing };
    case "payment-declined":
      return { title: "The payment was declined", help: "other-customer",
        text: "The credit of " + customer + " does not cover it. Let somebody else pay, or take " +
          "less." + nothing };
    case "unknown-customer":
      return { title: customer + " has no credit here", help: "other-customer",
        text: "Let somebody else pay." + nothing };
    case "unknown-product":
    case "withdrawn":
      return { title: "Something is not sold any more", help: "take-what-is-left",
        text: "Remove it from your basket, then order again." + nothing };
    case "reservation-lost":
    case "reservation-expired":
    case "reservation-ended":
    case "authorisation-ended":
      return { title: "It took too long", help: "again",
        text: "The pieces were set aside for a while and have gone back. Order again." + nothing };
    case "total-too-large":
    case "bad-expected-total":
    case "body-too-large":
    case "bad-lines":
      return { title: "That is more than one order holds", help: "basket",
        text: "Take fewer pieces, then order again." + nothing };
    default:
      return { title: "The order was not placed", help: "again",
        text: (detail ? "The shop says: " + detail + "." : "The shop says: " + type + ".")
          .replace(/\.\.$/, ".") + " Your basket is kept." + nothing };
  }
}

// When an order was placed, as this browser writes it; "" when that is not known.
function timeWords(when) {
  const time = new Date(when);
  return Number.isNaN(time.getTime()) ? ""
    : time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// How a pod came to answer, of the header Server-Timing; "" when it does not tell.
function timingWords(entries) {
  const of = name => entries.find(entry => entry.name === name);
  const start = of("start");
  const handler = of("handler");
  if (!handler) return "";
  const made = handler.duration.toFixed(1) + " ms";
  if (!start || start.duration === 0) return "This page took " + made + ", in a pod still awake.";
  return "For this page a pod woke in " + start.duration.toFixed(1) + " ms, and made it in " + made +
    ".";
}

