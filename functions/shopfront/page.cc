#include "functions/shopfront/page.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "functions/shop/money.h"
#include "functions/shopfront/assets.h"
#include "functions/shopfront/template.h"

namespace shop {
namespace {

constexpr std::int64_t kFewPieces = 3;
constexpr std::uint32_t kTones = 5;  // page.css has colours for as many

// Drawings of page.html, by a word in a product's name. Anything else comes in a box.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kDrawings = {
    {{"widget", "widget"},
     {"sprocket", "sprocket"},
     {"anvil", "anvil"},
     {"cog", "cogs"},
     {"multitool", "multitool"}}};

std::string drawing_of(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const auto& [word, drawing] : kDrawings) {
    if (name.find(word) != name.npos) return std::string(drawing);
  }
  return "box";
}

// The same for a product on every page. FNV-1a, 32 bits.
std::string tone_of(std::string_view id) {
  std::uint32_t hash = 2166136261u;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return std::to_string(hash % kTones);
}

struct Stock {
  std::string words;
  const char* state;  // as page.css and page.js call it
};

Stock stock_of(const Offer& offer) {
  if (!offer.available) return {"Stock not known right now", "unknown"};
  if (*offer.available <= 0) return {"Sold out", "none"};
  if (*offer.available <= kFewPieces) {
    return {"Only " + std::to_string(*offer.available) + " left", "few"};
  }
  return {std::to_string(*offer.available) + " in stock", "some"};
}

std::string tags_of(const Offer& offer) {
  if (offer.tags.empty()) return {};
  std::string out = "<ul class=\"tags\" aria-label=\"Tags\">";
  for (const std::string& tag : offer.tags) {
    Browse browse;
    browse.tag = tag;
    out += "<li><a href=\"" + escaped(page_target(browse)) + "\">" + escaped(tag) + "</a></li>";
  }
  return out + "</ul>";
}

std::string card(const Offer& offer) {
  const Stock stock = stock_of(offer);
  return render(asset("product.html").text,
                {{"id", offer.id},
                 {"name", offer.name},
                 {"description", offer.description},
                 {"price", pounds(offer.price_minor)},
                 {"price_minor", std::to_string(offer.price_minor)},
                 {"available", offer.available ? std::to_string(*offer.available) : ""},
                 {"stock", stock.words},
                 {"stock_state", stock.state},
                 {"drawing", drawing_of(offer.name)},
                 {"tone", tone_of(offer.id)},
                 {"tags", tags_of(offer)},
                 {"disabled", stock.state == std::string_view("none") ? "disabled" : ""}});
}

std::string sort_options(const std::string& chosen) {
  std::string out;
  for (const Sort& sort : kSorts) {
    out += "<option value=\"" + escaped(sort.value) + "\"" +
           (sort.value == chosen ? " selected" : "") + ">" + escaped(sort.words) + "</option>";
  }
  return out;
}

std::string link(const std::string& target, const std::string& words) {
  return "<a href=\"" + escaped(target) + "\">" + escaped(words) + "</a>";
}

// What stands above the products: what was looked for, or why there are none.
std::string told(const PageView& view) {
  if (view.catalogue_away) {
    return "<div class=\"notice\" role=\"alert\"><p><strong>The products cannot be shown right "
           "now.</strong> The catalogue does not answer; your basket is kept.</p><p>" +
           link(page_target(view.browse), "Try again") + "</p></div>";
  }
  const bool narrowed = !view.browse.search.empty() || !view.browse.tag.empty();
  if (!narrowed && view.browse.cursor.empty()) {
    if (!view.offers.list.empty()) return {};
    return "<p class=\"told\">The shelves are empty: no product is sold yet.</p>";
  }
  std::string words = view.offers.list.empty() ? "Nothing found" : "What was found";
  if (!narrowed) words = view.offers.list.empty() ? "No more products" : "More products";
  if (!view.browse.search.empty()) words += " for “" + view.browse.search + "”";
  if (!view.browse.tag.empty()) words += " tagged “" + view.browse.tag + "”";
  return "<p class=\"told\">" + escaped(words) + ". " + link("/", "Show all products") + "</p>";
}

std::string tag_field(const std::string& tag) {
  if (tag.empty()) return {};
  return "<input type=\"hidden\" name=\"tag\" value=\"" + escaped(tag) + "\">";
}

std::string more(const PageView& view) {
  if (view.next_cursor.empty()) return {};
  Browse next = view.browse;
  next.cursor = view.next_cursor;
  return "<p class=\"more\">" + link(page_target(next), "More products") + "</p>";
}

}  // namespace

std::string to_html(const PageView& view) {
  std::string products;
  for (const Offer& offer : view.offers.list) products += card(offer);
  return render(asset("page.html").text, {{"css_hash", std::string(asset("page.css").hash)},
                                          {"js_hash", std::string(asset("page.js").hash)},
                                          {"icon_hash", std::string(asset("icon.svg").hash)},
                                          {"search", view.browse.search},
                                          {"sorts", sort_options(view.browse.sort)},
                                          {"tag_field", tag_field(view.browse.tag)},
                                          {"degraded_hidden", view.offers.degraded ? "" : "hidden"},
                                          {"told", told(view)},
                                          {"products", products},
                                          {"more", more(view)}});
}

}  // namespace shop
