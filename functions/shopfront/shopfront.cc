#include "functions/shopfront/shopfront.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "functions/shop/etag.h"
#include "functions/shop/json.h"
#include "functions/shop/service.h"
#include "functions/shopfront/assets.h"
#include "functions/shopfront/browse.h"
#include "functions/shopfront/joined.h"
#include "functions/shopfront/page.h"

namespace shop {
namespace {

using subito::CallError;
using subito::Context;
using subito::PendingCall;
using subito::Request;
using subito::Response;

// Style, script and icon are files of this origin, and the script makes no HTML of texts.
constexpr const char* kPagePolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

// How long a page waits for stock, beside the catalogue. From zero pods it takes a hundredth.
constexpr std::chrono::milliseconds kStockPatience{1000};

// The text behind a hash never changes.
constexpr const char* kCacheForever = "public, max-age=31536000, immutable";
// Without one, or with that of another revision: ask again each time.
constexpr const char* kCacheAsk = "no-cache";

CallError wrong_answer(const char* function, int status) {
  return CallError("unavailable", std::string(function) + " answered " + std::to_string(status));
}

// Throws CallError for any other answer than a list.
Json list_in(const char* function, const Response& answer) {
  Json list = read_answer(answer);
  if (answer.status() == 200 && list.is_array()) return list;
  throw wrong_answer(function, answer.status());
}

// The levels, or null without: stock is away, or takes longer than the page waits for it. A call
// that goes without an answer is cancelled.
std::optional<Json> levels_of(Context& context, PendingCall stock, std::chrono::milliseconds wait) {
  try {
    if (stock.wait_for(wait)) return list_in("stock", stock.get());
    throw CallError("deadline-exceeded", "stock is slow");
  } catch (const CallError& error) {
    context.log().warning("stock is away", {{"reason", error.what()}});
    return std::nullopt;
  }
}

struct Found {
  Response catalogue;  // as it answered; offers only if that is 200
  Offers offers;
};

// Both are asked at once. Throws CallError without the catalogue.
Found find(Context& context, const std::string& catalogue_target) {
  const auto begun = context.time_left();
  PendingCall catalogue = context.start_call("catalogue", Request("GET", catalogue_target));
  PendingCall stock = context.start_call("stock", Request("GET", "/stocks"));
  Found found;
  found.catalogue = catalogue.get();
  const int status = found.catalogue.status();
  if (status >= 400 && status < 500) return found;
  const Json products = list_in("catalogue", found.catalogue);
  const auto waited = begun - context.time_left();
  const auto levels = levels_of(context, std::move(stock),
                                std::max(kStockPatience - waited, std::chrono::milliseconds(0)));
  found.offers = join(products, levels ? &*levels : nullptr);
  return found;
}

Response page(const PageView& view, int status) {
  return Response::html(to_html(view), status)
      .header("content-security-policy", kPagePolicy)
      .header("referrer-policy", "same-origin")
      .header("x-content-type-options", "nosniff")
      .header("cache-control", "no-store");
}

// People get a page also when there is nothing to show.
Response get_page(const Request& request, Context& context) {
  PageView view;
  view.browse = browse_of(request);
  try {
    Found found = find(context, catalogue_target(view.browse));
    if (found.catalogue.status() != 200) {
      const std::string here = page_target(view.browse);
      if (here == "/") throw wrong_answer("catalogue", found.catalogue.status());
      // A cursor of an older time, say: back to the beginning.
      return Response(303).header("location", "/").header("cache-control", "no-store");
    }
    view.next_cursor = next_cursor(found.catalogue.headers().get("link").value_or(""));
    view.offers = std::move(found.offers);
    return page(view, 200);
  } catch (const CallError& error) {
    context.log().warning("catalogue is away", {{"reason", error.what()}});
    view.catalogue_away = true;
    return page(view, 503).header("retry-after", "1");
  }
}

// The query is the catalogue's, and so is what it says to a wrong one.
Response get_products(const Request& request, Context& context) {
  const std::string& query = request.query_string();
  Found found = find(context, query.empty() ? "/products" : "/products?" + query);
  if (found.catalogue.status() != 200) return std::move(found.catalogue);
  Response response = Response::json(to_json(found.offers));
  if (const auto link = found.catalogue.headers().get("link")) {
    response.header("link", std::string(*link));
  }
  return tagged(request, std::move(response)).header("cache-control", "no-store");
}

subito::Handler asset_handler(std::string name, std::string content_type) {
  return [name = std::move(name), content_type = std::move(content_type)](const Request& request,
                                                                          Context&) {
    const Asset& found = asset(name);
    const std::string hash(found.hash);
    const std::string etag = "\"" + hash + "\"";
    const bool has_it = request.header("if-none-match") == etag;
    Response response(has_it ? 304 : 200);
    if (!has_it) {
      response.body() = found.text;
      response.header("content-type", content_type);
    }
    return response.header("etag", etag)
        .header("x-content-type-options", "nosniff")
        .header("cache-control", request.query("v") == hash ? kCacheForever : kCacheAsk);
  };
}

Response seed(const Request&, Context& context) {
  require_seed_setting(context);
  JsonWriter out;
  out.open_object();
  for (const char* function : {"catalogue", "stock", "payment"}) {
    const Response answer = context.call(function, Request("POST", "/seed"));
    const Json body = read_answer(answer);
    const Json& added = member(body, "added");
    if (answer.status() != 200 || !added.is_number_integer()) {
      throw CallError("unavailable", std::string(function) + " answered " +
                                         std::to_string(answer.status()) + " to the seed");
    }
    out.key(function).open_object().key("added").integer(added.get<std::int64_t>());
    out.close_object();
  }
  return Response::json(out.close_object().take());
}

// Without stock it is degraded and still ready.
void check_catalogue(Context& context) {
  const Response answer = context.call("catalogue", Request("GET", "/health/ready"));
  if (answer.status() != 200) throw wrong_answer("catalogue", answer.status());
}

}  // namespace

subito::Router shopfront_router() {
  subito::Router router;
  router.get("/", guarded(get_page));
  router.get("/assets/page.css", asset_handler("page.css", "text/css; charset=utf-8"));
  router.get("/assets/page.js", asset_handler("page.js", "text/javascript; charset=utf-8"));
  router.get("/assets/icon.svg", asset_handler("icon.svg", "image/svg+xml"));
  router.get("/products", guarded(get_products));
  router.post("/seed", guarded(seed));
  add_health(router, check_catalogue);
  add_openapi(router, shopfront_openapi());
  return router;
}

}  // namespace shop
