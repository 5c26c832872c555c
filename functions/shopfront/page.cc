// to_html() of joined.h.
#include <string>
#include <string_view>

#include "functions/shop/money.h"
#include "functions/shopfront/joined.h"

namespace shop {
namespace {

constexpr std::string_view kHead = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Subito Shop</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2430; background: #fbfaf7 }
ul { list-style: none; padding: 0 }
li { display: flex; gap: 1rem; align-items: center; padding: .75rem 0;
     border-top: 1px solid #d9d5cb }
li div { flex: 1 }
h2 { font-size: 1.05rem; margin: 0 }
p { margin: 0; color: #4a5462 }
strong { min-width: 5rem; text-align: right }
button { font: inherit; padding: .35rem 1rem; border: 0; border-radius: .4rem; color: #fff;
         background: #175c4c; cursor: pointer }
button:disabled { background: #71797f; cursor: default }
.notice { padding: .5rem 1rem; background: #fff3cd; color: #4d3b00 }
</style>
</head>
<body>
<main>
<h1>Subito Shop</h1>
)html";

// A key of its own for each click; what the answer says is shown, never interpreted.
constexpr std::string_view kTail = R"html(</ul>
<p id="said" role="status" aria-live="polite"></p>
</main>
<script>
const said = document.getElementById("said");
document.querySelectorAll("button[data-id]").forEach(button => button.onclick = async () => {
  const random = crypto.getRandomValues(new Uint32Array(4));
  button.disabled = true;
  said.textContent = "Ordering " + button.dataset.name + "...";
  try {
    const answer = await fetch("/orders", { method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": random.join("-") },
      body: JSON.stringify({ lines: [{ productId: button.dataset.id, quantity: 1 }] }) });
    const order = await answer.json();
    said.textContent = answer.ok
      ? "Ordered: " + button.dataset.name + ", \u00a3" + (order.totalMinor / 100).toFixed(2) +
        ", order " + order.id
      : "Not ordered: " + (order.detail || answer.status);
  } catch (error) {
    said.textContent = "Not ordered: the shop does not answer. Try again.";
  }
  button.disabled = false;
});
</script>
</body>
</html>
)html";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string availability(const Offer& offer) {
  if (!offer.available) return "stock not known right now";
  if (*offer.available == 0) return "sold out";
  return std::to_string(*offer.available) + " in stock";
}

std::string item(const Offer& offer) {
  const std::string name = escaped(offer.name);
  const bool sold_out = offer.available && *offer.available == 0;
  return "<li><div><h2>" + name + "</h2><p>" + escaped(offer.description) + " &middot; " +
         availability(offer) + "</p></div><strong>" + pounds(offer.price_minor) +
         "</strong><button data-id=\"" + escaped(offer.id) + "\" data-name=\"" + name +
         "\" aria-label=\"Buy " + name + "\"" + (sold_out ? " disabled" : "") +
         ">Buy</button></li>\n";
}

}  // namespace

std::string to_html(const Offers& offers) {
  std::string out(kHead);
  if (offers.degraded) {
    out +=
        "<p class=\"notice\">How much is in stock cannot be told right now. "
        "You can order all the same.</p>\n";
  }
  out += "<ul>\n";
  for (const Offer& offer : offers.list) out += item(offer);
  out += kTail;
  return out;
}

}  // namespace shop
