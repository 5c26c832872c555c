#include "functions/shopfront/shopfront.h"

#include <string>
#include <utility>

#include "functions/shop/json.h"
#include "functions/shop/service.h"
#include "functions/shopfront/joined.h"

namespace shop {
namespace {

using subito::CallError;
using subito::Context;
using subito::Request;
using subito::Response;

// The page has its style and script inside and needs nothing from anywhere else.
constexpr const char* kPagePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

// Throws CallError for any other answer than a list.
Json list_of(Context& context, const char* function, const char* path) {
  const Response answer = context.call(function, Request("GET", path));
  Json list = read_answer(answer);
  if (answer.status() == 200 && list.is_array()) return list;
  throw CallError("unavailable",
                  std::string(function) + " answered " + std::to_string(answer.status()));
}

Offers load_offers(Context& context) {
  const Json products = list_of(context, "catalogue", "/products");
  try {
    const Json levels = list_of(context, "stock", "/stocks");
    return join(products, &levels);
  } catch (const CallError& error) {
    context.log().warning("stock is away", {{"reason", error.what()}});
    return join(products, nullptr);
  }
}

Response get_page(const Request&, Context& context) {
  return Response::html(to_html(load_offers(context)))
      .header("content-security-policy", kPagePolicy)
      .header("cache-control", "no-store");
}

Response get_products(const Request&, Context& context) {
  return Response::json(to_json(load_offers(context))).header("cache-control", "no-store");
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
  if (answer.status() == 200) return;
  throw CallError("unavailable", "catalogue answered " + std::to_string(answer.status()));
}

}  // namespace

subito::Router shopfront_router() {
  subito::Router router;
  router.get("/", guarded(get_page));
  router.get("/products", guarded(get_products));
  router.post("/seed", guarded(seed));
  add_health(router, check_catalogue);
  return router;
}

}  // namespace shop
