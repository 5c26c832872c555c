// live.js: stock and prices are asked for again while somebody is there: the page is visible, and
// there was an input in the last two minutes. So a page that is left open lets the shop sleep.

const LOOK_MS = 10000;
const LOOK_FOR_MS = 120000;

let lastInput = performance.now();
let nextLook = 0;  // a timer, or 0 when nobody is there

const isSomebodyThere = () => document.visibilityState === "visible" &&
  performance.now() - lastInput < LOOK_FOR_MS;

function lookAgain() {
  clearTimeout(nextLook);
  nextLook = !isSomebodyThere() ? 0 : setTimeout(async () => {
    // Who comes back, or went, meanwhile is seen by what follows.
    if (isSomebodyThere() && !busy) await refreshStock();
    lookAgain();
  }, LOOK_MS);
}

// Somebody comes back: what is shown may be old.
function welcome() {
  lastInput = performance.now();
  if (nextLook !== 0 || document.visibilityState !== "visible") return;
  lookAgain();
  if (!busy) refreshStock();
}

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, welcome, { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") welcome();
  else lookAgain();
});
lookAgain();
